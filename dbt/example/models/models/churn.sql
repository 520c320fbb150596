-- the measures are those of a model that has not seen a fifth of the customers, tested on these
with split as (
    select c, {{ retailml.retailml_object('fold') }}(customer_id) = 1 as held_out from {{ ref('customers_then') }} as c
),

learnt as (
    select {{ retailml.retailml_object('churn_fit') }}(c, 'churned') as model from split where not held_out
),

tested as (
    select {{ retailml.retailml_object('binary_metrics') }}((c).churned, {{ retailml.retailml_object('churn_predict') }}(learnt.model, c)) as measures
    from split cross join learnt
    where held_out
)

select
    (select {{ retailml.retailml_object('churn_fit') }}(c, 'churned') from {{ ref('customers_then') }} as c) as model,
    jsonb_build_object('roc_auc', (measures).roc_auc, 'log_loss', (measures).log_loss) as metrics,
    'customers of {{ var("learn_from") }}, 60 days'::text as note
from tested
