"""Where runs lie: reports, Object Lock, replication, orphans."""
