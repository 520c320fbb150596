-- Customers at one moment: features before it, outcomes after it.

CREATE FUNCTION customer_snapshot(
        purchases regclass,
        as_of timestamptz,
        horizon interval DEFAULT '90 days',
        columns jsonb DEFAULT NULL)
    RETURNS TABLE (
        customer_id text,
        recency_days float8,
        tenure_days float8,
        frequency bigint,
        monetary float8,
        avg_order_value float8,
        gap_mean_days float8,
        gap_sd_days float8,
        days_since_last_over_gap float8,
        lines_per_order float8,
        items_per_order float8,
        spend_30d float8,
        spend_90d float8,
        spend_365d float8,
        orders_30d bigint,
        orders_90d bigint,
        orders_365d bigint,
        spend_trend float8,
        distinct_products bigint,
        distinct_categories bigint,
        top_category text,
        category_share float8,
        top_channel text,
        channel_share float8,
        weekend_share float8,
        returns_share float8,
        churned boolean,
        future_spend float8,
        future_orders bigint)
    AS 'MODULE_PATHNAME', 'rml_customer_snapshot'
    LANGUAGE C STABLE PARALLEL UNSAFE
    COST 100000 ROWS 10000;

COMMENT ON FUNCTION customer_snapshot(regclass, timestamptz, interval, jsonb) IS
'A row per customer from a purchase log: features that were known at as_of, and what happened in the horizon after it. No feature reads a row at or after as_of.

Arguments
  purchases  table, partitioned or foreign table, view or materialized view with a row per order or order line
  as_of      the moment; customers are those with a purchase before it (ordered_at < as_of; the aggregate rfm counts rows at as_of too, unless a WHERE leaves them out)
  horizon    outcomes are those of as_of <= ordered_at < as_of + horizon; default 90 days. Days are 24 hours, months are calendar months in UTC
  columns    which column is which, where names differ: a jsonb object of plain column names, such as {"customer_id": "Customer ID", "ordered_at": "InvoiceDate"}; default NULL
Keys of columns, with what is taken when the key is absent
  customer_id  column customer_id; any type, compared by its text; integers by their value
  order_id     column order_id; likewise
  ordered_at   column ordered_at, or else purchased_at: timestamptz, or timestamp or date, both taken in UTC
  amount       column amount; any type of number; returns are negative
  quantity, product_id, category, channel
               columns of these names if there are such; null says that there is none, even if there is a column of that name

Which rows count. A row without customer, with a NULL or infinite ordered_at, or with a NULL or NaN amount is ignored. A purchase is a row with amount > 0, an order is an order_id with a purchase, as old as its first one. Rows with a negative amount (returns) count in monetary, the spends and returns_share only; rows with amount 0 count nowhere. Purchases with a NULL order_id belong to no order, but count otherwise. Who only returned things is not a customer yet.

Result, from the rows before as_of
  customer_id               as text
  recency_days              as_of - last purchase, in days of 24 hours, fractions included
  tenure_days               as_of - first purchase
  frequency                 orders
  monetary                  sum of amounts, returns taken off
  avg_order_value           monetary / frequency
  gap_mean_days, gap_sd_days  mean and sample standard deviation of the days between consecutive orders; NULL with fewer than 2 and 3 orders
  days_since_last_over_gap  recency_days / gap_mean_days, which counts as at least one day; NULL when that is NULL
  lines_per_order           purchases that have an order / frequency
  items_per_order           their quantities, NULL and NaN as 0, / frequency
  spend_30d, spend_90d, spend_365d     sum of amounts of the last 30, 90, 365 days (ordered_at >= as_of - 30 days), returns taken off
  orders_30d, orders_90d, orders_365d  orders of the same days
  spend_trend               (a - b) / (a + b), a the spend of the last 90 days and b of the 90 before, negative ones as 0; 0 when both are 0. From -1 to 1
  distinct_products         among purchases
  distinct_categories       among purchases
  top_category, category_share  category with the largest sum of purchases (ties: first by its bytes), its share of the purchases that have a category
  top_channel, channel_share    likewise
  weekend_share             share of orders on a Saturday or Sunday in UTC
  returns_share             returned money / money of the purchases; above 1 when things were returned whose purchase is not in the log
and from the rows of the horizon
  churned                   no purchase in it
  future_spend              sum of amounts, returns taken off
  future_orders             orders of these rows
Columns without source (no category, say) are NULL; what is divided by frequency is NULL when that is 0. Rows come in the order of customer_id by its bytes. Sums are exact and rounded once (of float8 the 15 digits that are shown), so the rows do not depend on the plan, and neither on the time zone or search_path of the session.

While the horizon is not over, outcomes would lie: when the log has no row (of whomever) at or after as_of + horizon, they are NULL, a NOTICE says so, and no row from as_of on is read. That is what scoring today wants.

The function has the rights of the caller, who needs SELECT on the columns that are used; row-level security applies. It runs as one statement that may use parallel workers.

Errors: NULL in one of the first three arguments (22004), an infinite as_of, a horizon that is not positive, an unknown key or a value that is no name (22023), a column that does not exist (42703), a type that does not fit (42804), something else than a table or view (42809), an infinite amount or quantity (22003), no right to read (42501).

Example
  SELECT customer_id, recency_days, frequency, monetary, churned
  FROM customer_snapshot(''purchases'', ''2024-07-01'') ORDER BY monetary DESC LIMIT 10;';
