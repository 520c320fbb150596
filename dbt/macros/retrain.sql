{#- Is there a reason to train again?  The macros of materialization retailml_model that find out. -#}

{#- What a model file says in config(retrain={...}), checked.  Any condition that holds is a reason; without conditions,
    changed data are. -#}
{% macro retailml_retrain_config() -%}
  {%- set given = config.get('retrain', {}) or {} -%}
  {%- set valid = ['max_age', 'drift', 'always'] -%}
  {%- if given is not mapping -%}
    {{ exceptions.raise_compiler_error("retrain of model " ~ model.name ~ " is not a mapping: its keys are " ~ valid | join(', ')) }}
  {%- endif -%}
  {%- for key in given if key not in valid -%}
    {{ exceptions.raise_compiler_error("retrain of model " ~ model.name ~ " has no key '" ~ key ~ "': the keys are " ~ valid | join(', ')) }}
  {%- endfor -%}
  {%- if given.get('drift') is not none and given['drift'] is not number -%}
    {{ exceptions.raise_compiler_error("retrain.drift of model " ~ model.name ~ " is not a number: it is the PSI from which on a feature has drifted, such as 0.25") }}
  {%- endif -%}
  {{ return(given) }}
{%- endmacro %}

{#- The relation whose rows decide: config features, a model ('customer_features') or a source ('shop.customers'), and
    without it the only one that the model file reads. -#}
{% macro retailml_features() -%}
  {%- set given = config.get('features') -%}
  {%- if given is string -%}
    {%- set parts = given.split('.') -%}
    {%- set found = source(parts[0], parts[1]) if parts | length == 2 else ref(given) -%}
    {#- the relation as such: with --empty, ref() is a subquery -#}
    {{ return(api.Relation.create(database=found.database, schema=found.schema, identifier=found.identifier)) }}
  {%- elif given is not none -%}
    {{ exceptions.raise_compiler_error("features of model " ~ model.name ~ " is not a text: write features='customer_features', without ref()") }}
  {%- endif -%}
  {%- set read = [] -%}
  {%- for id in model.depends_on.nodes -%}
    {%- set node = graph.nodes.get(id) or graph.sources.get(id) -%}
    {%- if node and node.resource_type in ['model', 'seed', 'snapshot', 'source'] -%}
      {%- do read.append(node) -%}
    {%- endif -%}
  {%- endfor -%}
  {%- if read | length != 1 -%}
    {{ exceptions.raise_compiler_error("which relation decides whether model " ~ model.name ~ " is trained again? It reads "
        ~ (read | map(attribute='name') | join(', ') or 'none') ~ ": name one with config(features='...')") }}
  {%- endif -%}
  {%- set node = read[0] -%}
  {{ return(api.Relation.create(database=node.database, schema=node.schema, identifier=node.identifier or node.alias)) }}
{%- endmacro %}

{#- SQL: one row with the rows of a relation and a fingerprint of its columns and rows.  The order of rows does not matter,
    nor do settings such as DateStyle: rows are hashed in their binary form, and hashes are summed. -#}
{% macro retailml_fingerprint_sql(relation) -%}
  select count(*) as n,
    md5(concat_ws('/', count(*), sum(('x' || left(hash, 16))::bit(64)::bigint::numeric),
      sum(('x' || right(hash, 16))::bit(64)::bigint::numeric),
      (select string_agg(quote_ident(attname), ',' order by attnum) from pg_catalog.pg_attribute
       where attrelid = {{ retailml.retailml_literal(relation) }}::regclass and attnum > 0 and not attisdropped))) as fingerprint
  from (select md5(record_send(data)) as hash from {{ relation }} as data) as hashed
{%- endmacro %}

{#- SQL: the newest version in the registry and the one in production, none or one row.  A version that was made here has
    what it was made from under metrics.dbt. -#}
{% macro retailml_versions_sql(name, max_age) -%}
  select latest.version as latest, production.version as production,
    latest.metrics -> 'dbt' ->> 'relation' as relation,
    latest.metrics -> 'dbt' ->> 'fingerprint' as fingerprint,
    latest.metrics -> 'dbt' ->> 'definition' as definition,
    coalesce(latest.metrics -> 'dbt' ->> 'rows', '?') as n,
    {% if max_age -%}
      latest.created_at + {{ retailml.retailml_literal(max_age) }}::interval <= now()
    {%- else -%} false {%- endif %} as is_old,
    to_char(latest.created_at, 'YYYY-MM-DD HH24:MI') as made
  from (select * from {{ retailml.retailml_object('model_list') }}
        where name = {{ retailml.retailml_literal(name) }} order by version desc limit 1) as latest
  left join {{ retailml.retailml_object('model_list') }} as production
    on production.name = latest.name and production.status = 'production'
{%- endmacro %}

{#- The feature that drifted most since the version was trained: {'feature', 'psi'} -#}
{% macro retailml_drift(name, version, relation) -%}
  {%- set rows = run_query(retailml.retailml_drift_sql(
        retailml.retailml_object('model_load') ~ '(' ~ retailml.retailml_literal(name) ~ ', ' ~ version ~ ')', relation)
      ~ ' order by psi desc nulls last, feature limit 1').rows -%}
  {{ return({'feature': rows[0]['feature'], 'psi': (rows[0]['psi'] or 0) | float} if rows | length else {'feature': 'none', 'psi': 0.0}) }}
{%- endmacro %}

{#- SQL: a row per feature of the model with its drift in a relation.  model: SQL for the bytes. -#}
{% macro retailml_drift_sql(model, relation) -%}
  select drift.* from (select {{ retailml.retailml_object('model_drift') }}((select {{ model }}), data) as drifts
    from (select * from {{ relation }}) as data) as measured, unnest(measured.drifts) as drift
{%- endmacro %}

{#- Who else writes versions of this name would be replaced, and replace: two dbt targets in one database, a pipeline. -#}
{% macro retailml_check_owner(name, versions, relation) -%}
  {%- if versions['relation'] != relation | string and not var('retailml_take_over', false) -%}
    {{ exceptions.raise_compiler_error("the model '" ~ name ~ "' in the registry was saved by "
        ~ (versions['relation'] or 'something other than dbt') ~ ", not by " ~ relation
        ~ ": give this one another name, such as config(name=target.schema ~ '_" ~ name
        ~ "'), or let it take over once with --vars '{retailml_take_over: true}'") }}
  {%- endif -%}
{%- endmacro %}

{#- The decision: {'train': true or false, 'reason': a sentence}.  data: rows and fingerprint of now. -#}
{% macro retailml_decide(name, versions, data, definition, features, retrain) -%}
  {%- if flags.EMPTY and versions is not none -%}
    {{ return({'train': false, 'reason': 'an empty run trains nothing'}) }}
  {%- elif flags.EMPTY -%}
    {{ exceptions.raise_compiler_error("model '" ~ name ~ "' has no version yet, and an empty run has no rows to train one: run it once without --empty") }}
  {%- elif versions is none -%}
    {{ return({'train': true, 'reason': 'the first version, of ' ~ data['n'] ~ ' rows'}) }}
  {%- elif should_full_refresh() -%}
    {{ return({'train': true, 'reason': 'a full refresh was asked for'}) }}
  {%- elif retrain.get('always') -%}
    {{ return({'train': true, 'reason': 'retrain.always is set'}) }}
  {%- elif versions['definition'] != definition -%}
    {{ return({'train': true, 'reason': 'the definition of the model has changed'}) }}
  {%- elif versions['fingerprint'] == data['fingerprint'] -%}
    {%- set back = '' if versions['production'] == versions['latest']
        else ' (version ' ~ versions['latest'] ~ ', which is of the same data, is not in production)' -%}
    {{ return({'train': false, 'reason': 'the data have not changed, ' ~ data['n'] ~ ' rows' ~ back}) }}
  {%- endif -%}
  {%- set changed = 'the data have changed (' ~ versions['n'] ~ ' rows then, ' ~ data['n'] ~ ' now)' -%}
  {%- if retrain.get('max_age') is none and retrain.get('drift') is none -%}
    {{ return({'train': true, 'reason': changed}) }}
  {%- endif -%}
  {%- if versions['is_old'] -%}
    {{ return({'train': true, 'reason': 'version ' ~ versions['latest'] ~ ' of ' ~ versions['made'] ~ ' is older than ' ~ retrain['max_age']}) }}
  {%- endif -%}
  {%- set but = [] -%}
  {%- if retrain.get('max_age') is not none -%}
    {%- do but.append('version ' ~ versions['latest'] ~ ' is not yet older than ' ~ retrain['max_age']) -%}
  {%- endif -%}
  {%- if retrain.get('drift') is not none -%}
    {%- set worst = retailml.retailml_drift(name, versions['production'], features) -%}
    {%- set measured = 'drift of ' ~ worst['feature'] ~ ' is ' ~ '%.3f' | format(worst['psi']) -%}
    {%- if worst['psi'] > retrain['drift'] -%}
      {{ return({'train': true, 'reason': measured ~ ', above ' ~ retrain['drift']}) }}
    {%- endif -%}
    {%- do but.append(measured ~ ', not above ' ~ retrain['drift']) -%}
  {%- endif -%}
  {{ return({'train': false, 'reason': changed ~ ', but ' ~ but | join(' and ')}) }}
{%- endmacro %}
