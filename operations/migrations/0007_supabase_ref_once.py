from django.apps.registry import Apps
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor


def refuse_doubles(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Which of two is right only a person knows; nothing is changed here."""
    environments = apps.get_model("operations", "Environment")._default_manager
    linked = environments.exclude(supabase_ref="").order_by()
    for ref in linked.values_list("supabase_ref", flat=True).annotate(many=models.Count("pk")).filter(many__gt=1):
        slugs = ", ".join(environments.filter(supabase_ref=ref).values_list("slug", flat=True))
        raise RuntimeError(
            f"Environments {slugs} have the same Supabase project {ref}. Nothing was changed. "
            "Empty the ref of all but one on their pages, then migrate again."
        )


class Migration(migrations.Migration):
    dependencies = [
        ("operations", "0006_portal_environment"),
    ]

    operations = [
        migrations.RunPython(refuse_doubles, migrations.RunPython.noop),
        migrations.AddConstraint(
            model_name="environment",
            constraint=models.UniqueConstraint(
                condition=models.Q(("supabase_ref", ""), _negated=True),
                fields=("supabase_ref",),
                name="environment_supabase_ref_once",
                violation_error_message=(
                    "Another environment has this Supabase project; its votes guard it. Empty the ref there first."
                ),
            ),
        ),
    ]
