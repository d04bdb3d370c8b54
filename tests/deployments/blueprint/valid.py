"""render.yaml files as public examples are built, each valid: nothing may be said against them."""

from __future__ import annotations

VALID = {
    "django with a database": """
databases:
  - name: mysitedb
    plan: free
    databaseName: mysite
    user: mysite
services:
  - type: web
    plan: free
    name: mysite
    runtime: python
    buildCommand: './build.sh'
    startCommand: 'python -m gunicorn mysite.asgi:application -k uvicorn.workers.UvicornWorker'
    envVars:
      - key: DATABASE_URL
        fromDatabase:
          name: mysitedb
          property: connectionString
      - key: SECRET_KEY
        generateValue: true
      - key: WEB_CONCURRENCY
        value: 4
""",
    "the old name of runtime, and auto deploy off": """
services:
  - type: web
    name: express
    env: node
    buildCommand: yarn
    startCommand: node app.js
    autoDeploy: no
    healthCheckPath: /
""",
    "rails with a worker and a cache": """
services:
  - type: redis
    name: cache
    ipAllowList: []
    maxmemoryPolicy: noeviction
  - type: worker
    name: sidekiq
    runtime: ruby
    buildCommand: bundle install
    startCommand: bundle exec sidekiq
    envVars: &shared
      - key: REDIS_URL
        fromService: {type: redis, name: cache, property: connectionString}
      - key: RAILS_MASTER_KEY
        sync: false
  - type: web
    name: rails
    runtime: ruby
    buildCommand: ./bin/render-build.sh
    preDeployCommand: bundle exec rails db:migrate
    startCommand: bundle exec rails server
    envVars: *shared
""",
    "a static site with routes and headers": """
services:
  - type: web
    name: blog
    runtime: static
    buildCommand: yarn build
    staticPublishPath: ./build
    pullRequestPreviewsEnabled: true
    buildFilter:
      paths: [src/**/*.js]
      ignoredPaths: ['src/**/*.test.js']
    headers:
      - {path: /*, name: X-Frame-Options, value: sameorigin}
    routes:
      - {type: rewrite, source: /*, destination: /index.html}
    domains: [example.com, www.example.org]
    renderSubdomainPolicy: disabled
""",
    "an image from a registry": """
services:
  - type: pserv
    name: search
    runtime: image
    image:
      url: docker.io/library/opensearch:2
      creds: {fromRegistryCreds: {name: hub}}
    plan: standard
    disk: {name: data, mountPath: /usr/share/data, sizeGB: 10}
    envVars:
      - {key: TOKEN, generateValue: true}
  - type: web
    name: front
    runtime: docker
    dockerfilePath: ./front/Dockerfile
    dockerContext: ./front
    dockerCommand: ./run.sh
    envVars:
      - key: SEARCH
        fromService: {type: pserv, name: search, property: hostport}
      - key: TOKEN
        fromService: {type: pserv, name: search, envVarKey: TOKEN}
""",
    "a cron job by image": """
services:
  - type: cron
    name: nightly
    runtime: image
    schedule: 0 3 * * MON-FRI
    image: {url: ghcr.io/acme/report:latest}
    dockerCommand: report --all
""",
    "plan ids of August 2026": """
databases: [{name: db, plan: 0.1c-256mb, diskSizeGB: 1, postgresMajorVersion: '18', connectionPool: pgbouncer}]
services:
  - {type: web, name: a, runtime: go, plan: 0.5c-512mb, buildCommand: go build, startCommand: ./app}
  - {type: worker, name: b, runtime: rust, plan: 12c-96g, buildCommand: cargo build, startCommand: ./app}
  - {type: keyvalue, name: c, plan: 256mb, ipAllowList: [{source: 0.0.0.0/0, description: everywhere}]}
""",
    "autoscaling and maintenance": """
services:
  - type: web
    name: api
    runtime: elixir
    plan: pro plus
    region: singapore
    repo: https://github.com/acme/api
    branch: prod
    rootDir: services/api
    buildCommand: mix compile
    startCommand: mix phx.server
    autoDeployTrigger: off
    maxShutdownDelaySeconds: 300
    scaling: {minInstances: 1, maxInstances: 3, targetMemoryPercent: 60, targetCPUPercent: 60}
    maintenanceMode: {enabled: false, uri: https://status.example.com}
    previews: {generation: automatic, numInstances: 1, plan: starter}
    ipAllowList: [{source: 203.0.113.4/30, description: office}, {source: 2001:db8::/32}]
    initialDeployHook: mix seed
""",
    "standby and replicas": """
databases:
  - name: prod
    plan: pro-16gb
    region: frankfurt
    postgresMajorVersion: "17"
    diskSizeGB: 35
    storageAutoscalingEnabled: true
    highAvailability: {enabled: true}
    readReplicas: [{name: prod-replica}]
    ipAllowList: []
    previewPlan: basic-1gb
    previewDiskSizeGB: 5
services:
  - type: worker
    name: reports
    runtime: python
    region: frankfurt
    buildCommand: pip install -r requirements.txt
    startCommand: python reports.py
    envVars:
      - {key: REPLICA, fromDatabase: {name: prod-replica, property: connectionPoolString}}
      - {key: HOST, fromDatabase: {name: prod, property: host}}
""",
    "a project with environments": """
projects:
  - name: shop
    environments:
      - name: production
        services:
          - {type: web, name: shop, runtime: node, buildCommand: npm ci, startCommand: npm start,
             envVars: [{fromGroup: live}, {key: A, value: "1", previewValue: "0"}]}
        databases: [{name: shop-db}]
        envVarGroups: [{name: live, envVars: [{key: MODE, value: live}, {key: SALT, generateValue: true}]}]
        networking: {isolation: enabled}
        permissions: {protection: enabled}
      - name: staging
        services:
          - {type: cron, name: tidy, runtime: node, buildCommand: npm ci, startCommand: x, schedule: "0 * * * *"}
""",
    "ungrouped": """
ungrouped:
  services:
    - {type: worker, name: queue, runtime: docker, branch: queue, numInstances: 3}
""",
    "previews of old": """
previewsEnabled: true
previewsExpireAfterDays: 3
services:
  - {type: web, name: a, env: docker, plan: starter, previewPlan: starter, domain: www.example.com}
""",
    "merge keys": """
services:
  - &base
    type: worker
    name: one
    runtime: python
    buildCommand: b
    startCommand: s
  - <<: *base
    name: two
""",
    "private database only": """
databases:
  - name: private database
    databaseName: private
    ipAllowList: []
""",
    "a group alone": """
envVarGroups:
  - name: conc-settings
    envVars:
      - {key: CONCURRENCY, value: 2}
      - {key: SECRET, generateValue: true}
""",
    "a variable that Render sets": """
services:
  - {type: web, name: a, runtime: node, buildCommand: b, startCommand: s}
  - type: worker
    name: b
    runtime: node
    buildCommand: b
    startCommand: s
    envVars:
      - {key: BASE_URL, fromService: {type: web, name: a, envVarKey: RENDER_EXTERNAL_URL}}
""",
    "quoted off and previews of a blueprint": """
previews:
  generation: off
  expireAfterDays: 7
services:
  - {type: web, name: a, runtime: python, buildCommand: "true", startCommand: s, autoDeployTrigger: 'off'}
""",
}
