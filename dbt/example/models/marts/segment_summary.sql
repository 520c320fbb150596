select segment, count(*) as customers, round(sum(monetary)) as revenue,
    count(*)::float8 / sum(count(*)) over () as share
from {{ ref('customer_segments') }}
group by segment
