select user_id as customer_id, rank, item_id as product_id, p.name as product, score
from {{ retailml.retailml_object('svdpp_recommend_all') }}({{ retailml.retailml_load(ref('recommender')) }}, 3)
join {{ source('store', 'products') }} as p on p.product_id = item_id
