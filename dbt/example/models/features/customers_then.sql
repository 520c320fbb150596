-- what was known on a past day, and what came after it: from this the churn model learns
select *
from {{ retailml.retailml_object('customer_snapshot') }}(
    {{ retailml.retailml_literal(ref('stg_purchases')) }}::regclass, '{{ var("learn_from") }}', '60 days')
