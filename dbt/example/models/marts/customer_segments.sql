select f.customer_id, rfm.segment as rfm_segment, rfm.monetary,
    {{ retailml.retailml_predict(ref('segments'), 'f', fn='predict_label') }} as segment
from {{ ref('customer_features') }} as f
join {{ ref('customer_rfm') }} as rfm using (customer_id)
