-- one row per customer for whoever calls them
select c.customer_id, c.region, s.segment, s.rfm_segment, s.monetary, l.risk, l.probability as churn_probability,
    l.reason_1 as churn_reason, r.product as next_product
from {{ ref('stg_customers') }} as c
left join {{ ref('customer_segments') }} as s using (customer_id)
left join {{ ref('churn_list') }} as l using (customer_id)
left join {{ ref('recommendations') }} as r on r.customer_id = c.customer_id and r.rank = 1
