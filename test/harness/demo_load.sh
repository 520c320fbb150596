# shellcheck shell=bash
# demo_load.sh: a purchase log in a CSV file into the table purchases_raw.  Sourced by demo.sh.
#
# load_log FILE finds out the compression, encoding, separator and columns.  What the header does not
# say is said by CUSTOMER=, ORDER=, DATE=, QUANTITY=, PRICE=, AMOUNT=, PRODUCT=, DESCRIPTION= or
# CATEGORY=; DATE_ORDER=DMY or MDY says which comes first where the dates leave it open.  Products
# with their names go to the table products_raw.

ROLES="CUSTOMER ORDER DATE QUANTITY PRICE AMOUNT PRODUCT DESCRIPTION CATEGORY"

# names of columns, in lower case without anything but letters and digits, the surest first
declare -A KNOWN=(
    [CUSTOMER]="customerid customer customerno customernumber customercode customerkey custid clientid
        client userid user memberid member buyerid shopperid householdkey householdid accountid"
    [ORDER]="invoiceno invoice invoiceid invoicenumber orderid order orderno ordernumber transactionid
        transaction transactionno receiptid receipt receiptno basketid basket ticketid saleid"
    [DATE]="invoicedate orderdate date datetime purchasedate purchasedat orderedat ordertime
        transactiondate transactiontime saledate timestamp orderpurchasetimestamp"
    [QUANTITY]="quantity qty units pieces itemcount"
    [PRICE]="unitprice price itemprice priceperunit"
    [AMOUNT]="amount totalamount total totalprice linetotal dollars revenue sales spend spent
        salesamount salesvalue netamount turnover paymentvalue purchaseamount transactionamount
        orderamount ordervalue ordertotal"
    [PRODUCT]="productid productcode productno productkey productnumber stockcode sku skuid itemid
        itemcode itemno itemnumber articleid articleno articlenumber article ean upc asin product item"
    [DESCRIPTION]="description productdescription itemdescription productname itemname articlename"
    [CATEGORY]="category categoryname productcategory itemcategory department productgroup"
)

declare -A COLUMN # role -> position in the file, from 1
NAMES=()          # the header
PLAIN=()          # the same as they are compared

# ---------------------------------------------------------------- the file

# the log as text in its own encoding, without byte order mark and empty lines
read_log()
{
    decompress "$1" | recode | sed '1s/^\xEF\xBB\xBF//; /^\r\{0,1\}$/d'
}

decompress()
{
    if [ "$(magic 2 "$1")" = 1f8b ]; then gzip -dc -- "$1"; else cat -- "$1"; fi
}

# the first $1 bytes of $2 (or of standard input) in hexadecimal
magic()
{
    head -c "$1" -- "${2:--}" | od -An -tx1 | tr -d ' \n'
}

# Excel's "Unicode text" is UTF-16
recode()
{
    case $UTF16 in
        yes) iconv -f UTF-16 -t UTF-8 ;;
        no) cat ;;
    esac
}

check_file()
{
    local start
    [ -e "$1" ] || die "DATA=$1: no such file"
    [ -f "$1" ] || die "DATA=$1: not a file"
    [ -r "$1" ] || die "DATA=$1: cannot be read"
    [ "$(magic 2 "$1")" != 504b ] ||
        die "DATA=$1: a zip archive or a workbook; unpack it or save it as CSV first"
    # head closes the pipe early, which is no failure
    start=$({ decompress "$1" || true; } 2>/dev/null | magic 2)
    [ -n "$start" ] || die "DATA=$1: the file is empty"
    case $start in fffe | feff) UTF16=yes ;; *) UTF16=no ;; esac
}

# files that are not UTF-8 are taken for Latin 1, which any bytes are
encoding()
{
    if read_log "$1" | iconv -f UTF-8 -t UTF-8 >/dev/null 2>&1; then echo UTF8; else echo LATIN1; fi
}

# ---------------------------------------------------------------- the header

# the separator that is most frequent in the header, outside quotes
separator()
{
    awk '{ gsub(/"[^"]*"/, ""); best = 0
           split(", ; \t |", s, " "); s[3] = "\t"; s[4] = "|"
           for (i = 1; i <= 4; i++) { n = 0
               for (j = 1; j <= length($0); j++) if (substr($0, j, 1) == s[i]) n++
               if (n > best) { best = n; found = s[i] } }
           printf "%s", found }' <<<"$1"
}

# the names of the header $1, separated by $2, a line each
header_names()
{
    awk -v separator="$2" '{
        sub(/\r$/, "")
        for (i = 1; i <= length($0); i++) {
            c = substr($0, i, 1)
            if (c == "\"") {
                if (quoted && substr($0, i + 1, 1) == c) { name = name c; i++ } else quoted = !quoted
            } else if (c == separator && !quoted) { print trimmed(name); name = "" }
            else name = name c
        }
        print trimmed(name) }
        function trimmed(s) { gsub(/^[ \t]+|[ \t]+$/, "", s); return s }' <<<"$1"
}

plain()
{
    local name=${1,,}
    echo "${name//[^a-z0-9]/}"
}

# the columns of role $1, as positions: named by the user, or recognised
candidates()
{
    local wanted=${!1:-} i known
    if [ -n "$wanted" ]; then
        for i in "${!NAMES[@]}"; do
            if [ "${NAMES[i],,}" = "${wanted,,}" ]; then echo $((i + 1)); fi
        done
        return
    fi
    for known in ${KNOWN[$1]}; do
        for i in "${!PLAIN[@]}"; do
            if [ "${PLAIN[i]}" = "$known" ]; then echo $((i + 1)); fi
        done
    done
}

# the columns of the file and how to name them, after what is unclear
unclear()
{
    local role
    {
        echo "demo: $1"
        echo
        echo "The columns of $FILE are"
        printf '    %s\n' "${NAMES[@]}"
        echo
        for role in $ROLES; do
            [ -z "${COLUMN[$role]:-}" ] || echo "recognised: $role=\"${NAMES[COLUMN[$role] - 1]}\""
        done
        echo "Name the others, with quotes where there are blanks, for example"
        echo "    make demo DATA=$FILE CUSTOMER=\"client number\" DATE=day PRICE=price"
        echo "CUSTOMER, DATE and either PRICE (of a piece) or AMOUNT (of the row) are needed,"
        echo "ORDER, QUANTITY, PRODUCT, DESCRIPTION and CATEGORY are optional."
    } >&2
    exit 1
}

# COLUMN of every role that the header or the user gives
recognise()
{
    local role found unclear='' i
    for i in "${!NAMES[@]}"; do PLAIN[i]=$(plain "${NAMES[i]}"); done
    for role in $ROLES; do
        mapfile -t found < <(candidates "$role")
        case ${#found[@]} in
            0) [ -z "${!role:-}" ] || unclear+="there is no column ${!role} for $role; " ;;
            1) COLUMN[$role]=${found[0]} ;;
            *)
                # a log often has several columns about products, and nothing depends on the right one
                case $role in
                    PRODUCT | DESCRIPTION | CATEGORY) COLUMN[$role]=${found[0]} ;;
                    *) unclear+="more than one column could be the $role; " ;;
                esac
                ;;
        esac
    done
    # who names the price does not want a total that was recognised, and the reverse
    if [ -n "${PRICE:-}" ] && [ -z "${AMOUNT:-}" ]; then unset "COLUMN[AMOUNT]"; fi
    for role in CUSTOMER DATE; do
        if [ -z "${COLUMN[$role]:-}" ] && [[ $unclear != *$role* ]]; then
            unclear+="which column is the $role? "
        fi
    done
    if [ -z "${COLUMN[PRICE]:-}${COLUMN[AMOUNT]:-}" ] && [[ $unclear != *PRICE* && $unclear != *AMOUNT* ]]
    then
        unclear+="which column is the PRICE or the AMOUNT? "
    fi
    unclear=${unclear%; }
    [ -z "$unclear" ] || unclear "${unclear% }"
}

# ---------------------------------------------------------------- into the database

# every field as text in a table of columns c1, c2, ...
copy_log()
{
    local columns i
    for i in "${!NAMES[@]}"; do columns+="${columns:+, }c$((i + 1)) text"; done
    sql "DROP TABLE IF EXISTS public.purchases_csv" \
        "CREATE UNLOGGED TABLE public.purchases_csv ($columns)" 2>/dev/null
    read_log "$FILE" | "$PG_BINDIR/psql" -Xq -v ON_ERROR_STOP=1 -c "COPY public.purchases_csv FROM STDIN
        (FORMAT csv, HEADER true, DELIMITER '$SEPARATOR', ENCODING '$(encoding "$FILE")')" ||
        die "DATA=$FILE: not a CSV file with as many fields in every line as in the header"
}

# an expression for a role, or NULL where the file has none
field()
{
    if [ -n "${COLUMN[$1]:-}" ]; then echo "c${COLUMN[$1]}"; else echo "NULL::text"; fi
}

# typed rows: docs/tutorial.sql starts from these
convert_log()
{
    local comma=false
    if [ "$SEPARATOR" = ';' ]; then comma=true; fi
    "$PG_BINDIR/psql" -Xq -v ON_ERROR_STOP=1 -v customer="$(field CUSTOMER)" \
        -v order="$(field ORDER)" -v date="$(field DATE)" -v quantity="$(field QUANTITY)" \
        -v price="$(field PRICE)" -v amount="$(field AMOUNT)" -v product="$(field PRODUCT)" \
        -v description="$(field DESCRIPTION)" -v category="$(field CATEGORY)" -v comma="$comma" \
        -v has_quantity="${COLUMN[QUANTITY]:+1}" -v has_amount="${COLUMN[AMOUNT]:+1}" \
        -v date_order="${DATE_ORDER:-}" -f test/harness/demo_load.sql
}

describe_log()
{
    local role name
    for role in $ROLES; do
        name=
        if [ -n "${COLUMN[$role]:-}" ]; then name=${NAMES[COLUMN[$role] - 1]}; fi
        case $role:$name in
            ORDER:) name="(none: the purchases of a customer on a day are one order)" ;;
            QUANTITY:) name="(none: one piece)" ;;
            PRICE:?*) if [ -n "${COLUMN[AMOUNT]:-}" ]; then name="(not used: $name)"; fi ;;
            PRICE:) continue ;;
            AMOUNT:) name="(none: quantity x price)" ;;
            PRODUCT:) name="(none: no recommendations)" ;;
            DESCRIPTION: | CATEGORY:) continue ;;
        esac
        printf '    %-11s %s\n' "${role,,}" "$name"
    done
}

load_log()
{
    local header
    FILE=$1
    check_file "$FILE"
    header=$({ read_log "$FILE" || true; } 2>/dev/null | head -n 1)
    if [ "$(iconv -f UTF-8 -t UTF-8 <<<"$header" 2>/dev/null)" != "$header" ]; then
        header=$(iconv -f LATIN1 -t UTF-8 <<<"$header")
    fi
    SEPARATOR=$(separator "$header")
    [ -n "$SEPARATOR" ] || die "DATA=$FILE: no separator (comma, semicolon, tab or |) in the header: $header"
    mapfile -t NAMES < <(header_names "$header" "$SEPARATOR")
    recognise
    echo "The log $FILE:"
    describe_log
    copy_log
    convert_log
}
