{#- A SELECT with one row per customer who has ordered by then: recency_days, frequency, monetary, the scores r, f, m (1 to 5) and the segment.

    relation  a log with a row per order or order line: ref('...') or source('...')
    customer, order, at, amount   SQL for the columns, as they would be written in a SELECT on it
    as_of     the moment: a date such as 2025-01-01, or SQL such as a column of a subquery; default current_timestamp -#}
{% macro retailml_rfm(relation, customer='customer_id', order='order_id', at='ordered_at', amount='amount', as_of='current_timestamp') -%}
  {%- set moment = as_of | string -%}
  {%- if modules.re.match('^[0-9]{4}-[0-9]{2}-[0-9]{2}', moment) -%}
    {%- set moment = retailml.retailml_literal(moment) ~ '::timestamptz' -%}
  {%- endif -%}
  select known.*, ({{ retailml.retailml_object('rfm_score') }}(recency_days, frequency, monetary) over ()).*
  from (
    select {{ customer }}, ({{ retailml.retailml_object('rfm') }}({{ order }}, {{ at }}, {{ amount }}, {{ moment }})).*
    from {{ relation }}
    where {{ at }} <= {{ moment }}
    group by {{ customer }}
  ) as known
{%- endmacro %}
