select customer_id, signup_date, age, gender, region
from {{ source('store', 'customers') }}
