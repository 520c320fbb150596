select now.customer_id::int as customer_id, e.probability, e.risk, e.reason_1, e.reason_2
from {{ ref('customers_now') }} as now
cross join lateral {{ retailml.retailml_object('churn_explain') }}({{ retailml.retailml_load(ref('churn')) }}, now) as e
