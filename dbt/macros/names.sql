{#- What the other macros share: how names and texts are written into SQL. -#}

{#- An identifier, quoted whatever is in it. -#}
{% macro retailml_ident(name) -%}
  {{ return('"' ~ (name | string | replace('"', '""')) ~ '"') }}
{%- endmacro %}

{#- A text as a literal. -#}
{% macro retailml_literal(text) -%}
  {{ return("'" ~ (text | string | replace("'", "''")) ~ "'") }}
{%- endmacro %}

{#- A function or view of the extension, with the schema it was created in: variable retailml_schema, default retailml. -#}
{% macro retailml_object(name) -%}
  {{ return(retailml.retailml_ident(var('retailml_schema', 'retailml')) ~ '.' ~ name) }}
{%- endmacro %}

{#- SQL for the bytes of a model.  model: what ref() gives for a model of materialization retailml_model (the version that the
    last run decided on), or a name in the registry (the version in production). -#}
{% macro retailml_load(model) -%}
  {%- if model is string -%}
    (select {{ retailml.retailml_object('model_load') }}({{ retailml.retailml_literal(model) }}))
  {%- else -%}
    (select {{ retailml.retailml_object('model_load') }}(decided.name, decided.version) from (select * from {{ model }}) as decided)
  {%- endif -%}
{%- endmacro %}
