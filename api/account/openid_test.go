package account_test

import "net/http/httptest"

// issuer is a provider.
type issuer struct{ server *httptest.Server }
