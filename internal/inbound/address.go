package inbound

import "strings"

// Addresses are the addresses at which the desk receives mail, in lower case. The value is the category of new tickets; it
// may be empty.
type Addresses map[string]string

// Accepts reports whether a mail to an address is for the desk: one of its own addresses, also with an extension after a
// plus sign.
func (a Addresses) Accepts(address string) bool {
	_, own := a.Find(address)
	return own
}

// Find returns the category of new tickets by mails to an address of the desk, and false for any other address.
func (a Addresses) Find(address string) (category string, own bool) {
	base, _ := SplitExtension(address)
	category, own = a[base]
	return category, own
}

// SplitExtension returns an address in lower case without its extension, and the extension: support@example.com and token
// for support+token@example.com.
func SplitExtension(address string) (base, extension string) {
	address = strings.ToLower(strings.TrimSpace(address))
	at := strings.LastIndexByte(address, '@')
	if at < 0 {
		return address, ""
	}
	local, extension, _ := strings.Cut(address[:at], "+")
	return local + address[at:], extension
}
