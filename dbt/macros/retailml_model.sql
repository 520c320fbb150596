{#- Materialization retailml_model: a model file is a SELECT of one row with the column model (a fit) and, if it likes, metrics
    (jsonb) and note (text).  The model goes to the registry, and a table with the name of the model file says which version to
    use and why: name, version, decision, reason, created_at, decided_at.

    Nothing is trained unless there is a reason; see retrain.sql and the package's README. -#}
{% materialization retailml_model, adapter='postgres' %}
  {%- set target = this.incorporate(type='table') -%}
  {%- set existing = load_cached_relation(this) -%}
  {%- set grant_config = config.get('grants') -%}
  {%- set name = config.get('name') or this.identifier -%}
  {%- set retrain = retailml.retailml_retrain_config() -%}
  {%- set features = retailml.retailml_features() -%}
  {#- a database that was restored under another name has the same models -#}
  {%- set owner = target.include(database=false) | string -%}
  {%- set definition = local_md5((sql | replace(target.include(schema=false, identifier=false) ~ '.', '') ~ ' match '
        ~ config.get('match', false)).split() | join(' ')) -%}

  {{ run_hooks(pre_hooks, inside_transaction=False) }}
  {{ run_hooks(pre_hooks, inside_transaction=True) }}

  {%- set data = run_query(retailml.retailml_fingerprint_sql(features)).rows[0] -%}
  {%- set found = run_query(retailml.retailml_versions_sql(name, retrain.get('max_age'))).rows -%}
  {%- set versions = found[0] if found | length else none -%}
  {%- if versions is not none -%}
    {%- do retailml.retailml_check_owner(name, versions, owner) -%}
  {%- endif -%}
  {%- set decision = retailml.retailml_decide(name, versions, data, definition, features, retrain) -%}

  {%- if decision['train'] -%}
    {%- set made_from = {'relation': owner, 'fingerprint': data['fingerprint'], 'definition': definition,
        'rows': data['n'] | int, 'reason': decision['reason']} -%}
    {%- set version = retailml.retailml_train(name, sql, made_from, versions) -%}
  {%- else -%}
    {%- set version = versions['production'] -%}
  {%- endif -%}

  {%- do retailml.retailml_decided_table(target, existing) -%}
  {% call statement('main') -%}
    {{ retailml.retailml_decided_sql(target, name, version, decision) }}
  {%- endcall %}
  {%- set said = name ~ ': version ' ~ version ~ (' trained, ' if decision['train'] else ' kept, ') ~ decision['reason'] -%}
  {{ log('retailml ' ~ said, info=True) }}
  {% call noop_statement('main', ('TRAINED' if decision['train'] else 'KEPT') ~ ' VERSION ' ~ version, rows_affected=1) -%}
    {{ sql }}
  {%- endcall %}

  {{ run_hooks(post_hooks, inside_transaction=True) }}
  {%- do apply_grants(target, grant_config, should_revoke=should_revoke(existing, full_refresh_mode=False)) -%}
  {%- do persist_docs(target, model) -%}
  {{ adapter.commit() }}
  {{ run_hooks(post_hooks, inside_transaction=False) }}
  {{ return({'relations': [target]}) }}
{% endmaterialization %}

{#- Fits, saves and promotes; returns the version that is to be used, which is an older one where config promote is false. -#}
{% macro retailml_train(name, sql, made_from, versions) -%}
  {%- set fitted = '"retailml_fitted_' ~ local_md5(this | string) ~ '"' -%}
  {% call statement('fit') -%}
    drop table if exists pg_temp.{{ fitted }};
    create temporary table {{ fitted }} on commit drop as
    {{ sql }}
  {%- endcall %}
  {%- set columns = retailml.retailml_check_fitted(fitted) -%}
  {%- set model_sql = 'model' -%}
  {%- if config.get('match', false) and versions is not none -%}
    {%- set model_sql = retailml.retailml_object('match_model') ~ '(model, ' ~ retailml.retailml_object('model_load') ~ '('
        ~ retailml.retailml_literal(name) ~ ', ' ~ versions['production'] ~ '))' -%}
  {%- endif -%}
  {% call statement('save', fetch_result=True) -%}
    select {{ retailml.retailml_object('model_save') }}({{ retailml.retailml_literal(name) }}, {{ model_sql }},
      {{ "coalesce(metrics, '{}')" if 'metrics' in columns else "'{}'" }}::jsonb
        || jsonb_build_object('dbt', {{ retailml.retailml_literal(tojson(made_from)) }}::jsonb),
      {{ 'note' if 'note' in columns else 'null' }}::text) as version
    from pg_temp.{{ fitted }}
  {%- endcall %}
  {%- set version = load_result('save')['data'][0][0] -%}
  {%- if not config.get('promote', true) and versions is not none -%}
    {{ return(versions['production']) }}
  {%- endif -%}
  {% call statement('promote') -%}
    select {{ retailml.retailml_object('model_promote') }}({{ retailml.retailml_literal(name) }}, {{ version }})
  {%- endcall %}
  {{ return(version) }}
{%- endmacro %}

{#- The columns of what a model file has selected, which has to be one row with a model. -#}
{% macro retailml_check_fitted(fitted) -%}
  {%- set probe = run_query('select (select count(*) from pg_temp.' ~ fitted ~ ') as retailml_rows, fitted.* from (select) as one left join (select * from pg_temp.'
      ~ fitted ~ ' limit 0) as fitted on true') -%}
  {%- set columns = probe.column_names | list -%}
  {%- if 'model' not in columns -%}
    {{ exceptions.raise_compiler_error("model " ~ this.identifier ~ " selects no column named model: write SELECT kmeans_fit(f, 4) AS model FROM ... AS f") }}
  {%- elif probe.rows[0]['retailml_rows'] != 1 -%}
    {{ exceptions.raise_compiler_error("model " ~ this.identifier ~ " selects " ~ probe.rows[0]['retailml_rows'] ~ " rows: one row with one model is wanted") }}
  {%- endif -%}
  {{ return(columns) }}
{%- endmacro %}

{#- The table stays while its row is replaced, so views that read it stay too. -#}
{% macro retailml_decided_table(target, existing) -%}
  {%- set columns = ['name', 'version', 'decision', 'reason', 'created_at', 'decided_at'] -%}
  {%- if existing is not none -%}
    {%- if existing.type == 'table' and adapter.get_columns_in_relation(existing) | map(attribute='name') | list == columns -%}
      {{ return('') }}
    {%- endif -%}
    {%- do adapter.drop_relation(existing) -%}
  {%- endif -%}
  {% call statement('create') -%}
    create table {{ target }} (name text not null, version int not null, decision text not null, reason text not null,
      created_at timestamptz not null, decided_at timestamptz not null)
  {%- endcall %}
{%- endmacro %}

{#- SQL: the row that says which version is used, and why. -#}
{% macro retailml_decided_sql(target, name, version, decision) -%}
  delete from {{ target }};
  insert into {{ target }} (name, version, decision, reason, created_at, decided_at)
  select name, version, '{{ 'trained' if decision['train'] else 'kept' }}', {{ retailml.retailml_literal(decision['reason']) }}, created_at, now()
  from {{ retailml.retailml_object('model_list') }}
  where name = {{ retailml.retailml_literal(name) }} and version = {{ version }}
{%- endmacro %}
