package imap

// xoauth2 signs in with an access token, as Google and Microsoft define it. It is here because the SASL library has only
// OAUTHBEARER, which Microsoft does not support.
type xoauth2 struct{ user, token string }

// Start returns the initial response.
func (x *xoauth2) Start() (mechanism string, initial []byte, err error) {
	return "XOAUTH2", []byte("user=" + x.user + "\x01auth=Bearer " + x.token + "\x01\x01"), nil
}

// Next answers the details of a failure with an empty response, after which the server refuses the sign-in.
func (*xoauth2) Next([]byte) ([]byte, error) { return []byte{}, nil }
