{{ retailml.retailml_rfm(ref('stg_purchases'), as_of=var('as_of')) }}
