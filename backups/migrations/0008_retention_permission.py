from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("backups", "0007_incident")]

    operations = [
        migrations.AlterModelOptions(
            name="policy",
            options={
                "ordering": ["environment__slug", "name"],
                "permissions": [("apply_retention", "Can retire, bring back and purge runs")],
                "verbose_name_plural": "policies",
            },
        ),
    ]
