from billing.invoice import amount


def test_the_price_of_a_month_is_flat():
    assert amount("acme") == 49_00
