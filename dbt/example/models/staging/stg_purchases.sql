select order_id, customer_id, product_id, purchased_at as ordered_at, quantity, amount, channel, category
from {{ source('store', 'purchases') }}
join {{ source('store', 'products') }} using (product_id)
