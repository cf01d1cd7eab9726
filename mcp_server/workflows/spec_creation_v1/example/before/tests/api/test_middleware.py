from api.middleware import handle


def test_the_status_of_a_call_is_returned():
    assert handle("acme", "/parcels", lambda: 404) == 404
