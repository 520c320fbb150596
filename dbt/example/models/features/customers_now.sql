-- the same columns today; what comes after is not known yet
select *
from {{ retailml.retailml_object('customer_snapshot') }}(
    {{ retailml.retailml_literal(ref('stg_purchases')) }}::regclass, '{{ var("as_of") }}', '60 days')
