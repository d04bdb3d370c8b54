"""PostgreSQL's system catalogs, as data: which column names a row, and which object a row tells about.

Chapter 51 of the manual, versions 14 to 18; one that the server does not have, or that is not in this list, is only
counted. In: nothing. Out: CATALOGS.
"""

from __future__ import annotations

from dataclasses import dataclass

NUMBERS = {"attnum", "objsubid", "maptokentype", "mapseqno"}


@dataclass(frozen=True)
class Catalog:
    """`keys` tell rows apart; the object is (`class_`, `object_`, `part`): columns' names, or texts in quotes."""

    name: str
    keys: tuple[str, ...] = ("oid",)
    class_: str = ""
    object_: str = "oid"
    part: str = ""
    vanishes: bool = True  # whether a row can go while what it is a part of stays

    @property
    def class_of(self) -> str:
        return self.class_ or self.name


_WITH_OID = (
    "pg_class pg_proc pg_type pg_constraint pg_operator pg_opclass pg_opfamily pg_am pg_amop pg_amproc pg_language"
    " pg_statistic_ext pg_rewrite pg_trigger pg_event_trigger pg_cast pg_namespace pg_conversion pg_database"
    " pg_tablespace pg_extension pg_foreign_data_wrapper pg_foreign_server pg_policy pg_default_acl pg_publication"
    " pg_publication_rel pg_publication_namespace pg_collation pg_parameter_acl pg_ts_config pg_ts_dict pg_ts_parser"
    " pg_ts_template pg_transform pg_attrdef"
)
_PARTS = (
    Catalog("pg_largeobject_metadata", ("oid",), "pg_largeobject"),
    Catalog("pg_attribute", ("attrelid", "attnum"), "pg_class", "attrelid", "attnum", vanishes=False),
    Catalog("pg_index", ("indexrelid",), "pg_class", "indexrelid"),
    Catalog("pg_sequence", ("seqrelid",), "pg_class", "seqrelid"),
    Catalog("pg_inherits", ("inhrelid", "inhparent"), "pg_class", "inhrelid"),
    Catalog("pg_partitioned_table", ("partrelid",), "pg_class", "partrelid"),
    Catalog("pg_foreign_table", ("ftrelid",), "pg_class", "ftrelid"),
    Catalog("pg_aggregate", ("aggfnoid",), "pg_proc", "aggfnoid"),
    Catalog("pg_range", ("rngtypid",), "pg_type", "rngtypid"),
    Catalog("pg_enum", ("oid",), "pg_type", "enumtypid"),
    Catalog("pg_auth_members", ("roleid", "member", "grantor"), "pg_authid", "roleid"),
    Catalog("pg_description", ("objoid", "classoid", "objsubid"), "classoid", "objoid", "objsubid"),
    Catalog("pg_seclabel", ("objoid", "classoid", "objsubid"), "classoid", "objoid", "objsubid"),
    Catalog("pg_shdescription", ("objoid", "classoid"), "classoid", "objoid"),
    Catalog("pg_shseclabel", ("objoid", "classoid"), "classoid", "objoid"),
    Catalog("pg_db_role_setting", ("setdatabase", "setrole"), "pg_authid", "setrole"),
    Catalog("pg_ts_config_map", ("mapcfg", "maptokentype", "mapseqno"), "pg_ts_config", "mapcfg"),
)
CATALOGS = {catalog.name: catalog for catalog in (*map(Catalog, _WITH_OID.split()), *_PARTS)}

# What follows from other rows, or only helps the planner. A link to an extension is looked at by itself.
SILENT = {"pg_depend", "pg_shdepend", "pg_statistic", "pg_statistic_ext_data", "pg_init_privs"}

# Columns that the server keeps for itself or that repeat what another row says.
_KEPT = {
    "pg_class": "relpages reltuples relallvisible relallfrozen relhasindex relhasrules relhastriggers relhassubclass"
    " relfrozenxid relminmxid relfilenode reltoastrelid relnatts relchecks relrewrite relispopulated",
    "pg_attribute": "atthasdef atthasmissing attmissingval attislocal attcacheoff",
    "pg_index": "indcheckxmin",
    "pg_constraint": "conislocal coninhcount",
    "pg_database": "datfrozenxid datminmxid",
}
KEPT = {name: frozenset(fields.split()) for name, fields in _KEPT.items()}

_ASPECTS = {
    field: name.strip()
    for name, fields in (
        line.split(":")
        for line in """
row security: relrowsecurity relforcerowsecurity
enabled state: tgenabled evtenabled ev_enabled
settings: proconfig setconfig
owner: datdba
rights: prosecdef
comment: description
validity: convalidated indisvalid
not null: attnotnull
identity: attidentity
statistics: attstattarget stxstattarget
partition: relpartbound relispartition
replica identity: relreplident indisreplident
options: reloptions attoptions
version: extversion
type: atttypid atttypmod attcollation attlen attbyval attalign attndims
storage: attstorage attcompression
inheritance: attinhcount
persistence: relpersistence
tablespace: reltablespace
access method: relam
index: conindid
clustering: indisclustered
""".strip().splitlines()
    )
    for field in fields.split()
}
_ENDINGS = {"owner": "owner", "acl": "grants", "name": "name", "namespace": "schema"}


def aspect(field: str) -> str:
    """What a change of this column is a change of."""
    if field in _ASPECTS:
        return _ASPECTS[field]
    return next((word for ending, word in _ENDINGS.items() if field.endswith(ending)), "definition")
