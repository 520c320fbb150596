select customer_id, ln(1 + recency_days) as recency, ln(1 + frequency) as frequency, ln(1 + monetary) as monetary
from {{ ref('customer_rfm') }}
