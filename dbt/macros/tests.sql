{#- Generic tests.  They stand on a model of materialization retailml_model; each returns the rows that are wrong.  Relations
    are read in subqueries, for with --empty they have an alias already. -#}

{#- No feature has drifted since the version in use was trained: PSI of at most bound.

    features  ref('customer_features'): the rows of today
    bound     default 0.25; 0.1 is where a shift begins
    On the features themselves instead of the model, give model_name, that in the registry: then drift stops the build
    before anything is trained.  Passes where there is no such model yet. -#}
{% test retailml_no_drift(model, features=none, bound=0.25, model_name=none) %}
  {%- if (features is none) == (model_name is none) -%}
    {{ exceptions.raise_compiler_error("retailml_no_drift on " ~ model ~ " needs either features (on a model of retailml) or model_name (on features)") }}
  {%- endif -%}
  {%- if model_name is none -%}
    select * from ({{ retailml.retailml_drift_sql(retailml.retailml_load(model), features) }}) as drifts
  {%- else -%}
    select * from ({{ retailml.retailml_drift_sql('(select model from ' ~ retailml.retailml_object('models')
        ~ " where status = 'production' and name = " ~ retailml.retailml_literal(model_name) ~ ')', model) }}) as drifts
  {%- endif %}
  where psi > {{ bound }}
{% endtest %}

{#- A measure of the version in use is at least min, at most max, or both.

    metric  a key of the metrics that were saved with the model, or else of model_info; a path such as holdout.rmse
    A measure that is missing or no number fails. -#}
{% test retailml_min_metric(model, metric, min=none, max=none) %}
  {%- if min is none and max is none -%}
    {{ exceptions.raise_compiler_error("retailml_min_metric on " ~ model ~ " needs min or max") }}
  {%- endif -%}
  {%- set path = retailml.retailml_literal('{' ~ (metric | string).split('.') | map('tojson') | join(',') ~ '}') ~ '::text[]' %}
  select * from (
    select decided.name, decided.version, {{ retailml.retailml_literal(metric) }} as metric,
      coalesce(saved.metrics #> {{ path }},
        {{ retailml.retailml_object('model_info') }}({{ retailml.retailml_object('model_load') }}(decided.name, decided.version)) #> {{ path }}) as value
    from (select * from {{ model }}) as decided
    left join {{ retailml.retailml_object('model_list') }} as saved on saved.name = decided.name and saved.version = decided.version
  ) as measured
  where (case when jsonb_typeof(value) = 'number' then
    {%- if min is not none %} value::float8 >= {{ min }}{% endif -%}
    {%- if min is not none and max is not none %} and{% endif -%}
    {%- if max is not none %} value::float8 <= {{ max }}{% endif %} end) is not true
{% endtest %}

{#- Customers keep their segments: the share of rows that the version in use and the one before it put into segments of the
    same name is at least min.  Passes for a first version.

    features  ref('customer_features'): the rows to compare on
    min       default 0.7
    Names last when config(match=true) is set, which matches a new model to the old one. -#}
{% test retailml_segments_stable(model, features, min=0.7) %}
  select * from (
    select max(used.version) as version, max(used.before) as before, count(*) as customers,
      avg((label is not distinct from label_before)::int)::float8 as share
    from (
      select decided.name, decided.version, (
        select max(earlier.version) from {{ retailml.retailml_object('model_list') }} as earlier
        where earlier.name = decided.name and earlier.version < decided.version and earlier.promoted_at is not null) as before
      from (select * from {{ model }}) as decided offset 0) as used,
      lateral (select {{ retailml.retailml_object('model_load') }}(used.name, used.version) as model,
        {{ retailml.retailml_object('model_load') }}(used.name, used.before) as model_before offset 0) as loaded,
      lateral (select {{ retailml.retailml_object('predict_label') }}(loaded.model, data) as label,
        {{ retailml.retailml_object('predict_label') }}(loaded.model_before, data) as label_before
        from (select * from {{ features }}) as data offset 0) as labelled
    where used.before is not null
  ) as compared
  where share < {{ min }}
{% endtest %}
