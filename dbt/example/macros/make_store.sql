{#- dbt run-operation make_store: the synthetic store, 500 customers with 30,000 order lines. -#}
{% macro make_store() %}
  {% call statement('store', auto_begin=True) %}
    call {{ retailml.retailml_object('generate_synthetic_store') }}({{ retailml.retailml_literal(var('store')) }})
  {% endcall %}
  {% do adapter.commit() %}
{% endmacro %}
