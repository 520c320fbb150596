{#- SQL for the prediction of each row: a call of predict, predict_label or another function (model, row).

    model           ref('segments'), or the name of a model in the registry
    relation_alias  the alias of the rows in FROM, also where a column has the same name; columns are found by name
    fn              which function; default predict_label for a name of a segment or class; predict, churn_predict,
                    kmeans_distance, ...
    The model is loaded once, not for each row. -#}
{% macro retailml_predict(model, relation_alias, fn='predict') -%}
  {{ retailml.retailml_object(fn) }}({{ retailml.retailml_load(model) }}, {{ relation_alias }}.*)
{%- endmacro %}
