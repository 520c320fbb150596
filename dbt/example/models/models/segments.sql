{{ config(retrain={'max_age': '90 days', 'drift': 0.25}, match=true) }}

select {{ retailml.retailml_object('kmeans_fit') }}(f, 4, '{"exclude": ["customer_id"], "order_by": "monetary"}') as model
from {{ ref('customer_features') }} as f
