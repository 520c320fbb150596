select {{ retailml.retailml_object('svdpp_train') }}(
    customer_id, product_id, quantity, '{"implicit": "purchases", "n_factors": 10}') as model
from {{ ref('stg_purchases') }}
