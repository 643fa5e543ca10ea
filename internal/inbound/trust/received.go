package trust

import (
	"errors"
	"net/netip"
	"slices"
	"strings"
)

// Hosts are mail servers of our own.
type Hosts struct {
	names    []string // in lower case; those that begin with a dot are of all hosts below a domain
	networks []netip.Prefix
}

var errHost = errors.New("not a host name, a domain with a dot before it, an address or a network")

// ParseHosts parses a list of host names, domains with a dot before them, for all hosts below, addresses and networks.
func ParseHosts(list []string) (Hosts, error) {
	var h Hosts
	for _, entry := range list {
		entry = strings.ToLower(strings.TrimSpace(entry))
		if network, err := netip.ParsePrefix(entry); err == nil {
			h.networks = append(h.networks, network.Masked())
		} else if address, err := netip.ParseAddr(entry); err == nil {
			address = address.Unmap().WithZone("")
			h.networks = append(h.networks, netip.PrefixFrom(address, address.BitLen()))
		} else if validName(strings.TrimPrefix(entry, ".")) {
			h.names = append(h.names, entry)
		} else {
			return Hosts{}, errHost
		}
	}
	return h, nil
}

// Address reports whether an address is of a server of ours: one that is listed, of this machine or of a private network.
func (h Hosts) Address(a netip.Addr) bool {
	a = a.Unmap().WithZone("")
	return a.IsLoopback() || a.IsPrivate() || a.IsLinkLocalUnicast() ||
		slices.ContainsFunc(h.networks, func(network netip.Prefix) bool { return network.Contains(a) })
}

// listed reports whether a host, as a Received field names it, is in the list.
func (h Hosts) listed(host string) bool {
	host = strings.ToLower(strings.TrimRight(host, "."))
	if a := literal(host); a.IsValid() {
		a = a.Unmap().WithZone("")
		return slices.ContainsFunc(h.networks, func(network netip.Prefix) bool { return network.Contains(a) })
	}
	return slices.ContainsFunc(h.names, func(name string) bool {
		return host == name || name[0] == '.' && len(host) > len(name) && strings.HasSuffix(host, name)
	})
}

// hop is what a Received field says.
type hop struct {
	from    string     // the name by which the client introduced itself; empty: it names none
	address netip.Addr // of the client; zero: it names none
	by      string     // the server that wrote the field; empty: the field can't be read
	with    string     // the protocol, in upper case
}

// parseHop parses the value of a Received field.
func parseHop(value string) (p hop) {
	all := words(value)
	if len(all) > 1 && strings.EqualFold(all[0].text, "from") && !all[0].comment {
		p.from = all[1].text
		rest := all[2:]
		comments := 0
		for comments < len(rest) && rest[comments].comment {
			comments++
		}
		p.address = clientAddress(p.from, rest[:comments])
		all = rest[comments:]
	}
	all = slices.DeleteFunc(all, func(w word) bool { return w.comment })
	if len(all) < 2 || !strings.EqualFold(all[0].text, "by") {
		return hop{}
	}
	p.by = strings.TrimRight(all[1].text, ";")
	for i := 2; i+1 < len(all) && !strings.HasSuffix(all[i-1].text, ";"); i += 2 {
		if strings.EqualFold(all[i].text, "with") {
			p.with = strings.TrimRight(strings.ToUpper(all[i+1].text), ";")
			break
		}
	}
	return p
}

// clientAddress returns the address that the server saw, given the name that the client gave itself and the comments after it.
// The client chooses its name, and may choose that of its address, so that only brackets and whole comments count.
func clientAddress(name string, comments []word) netip.Addr {
	for _, c := range comments {
		for at, text := 0, c.text; ; {
			open := strings.IndexByte(text[at:], '[')
			if open < 0 {
				break
			}
			open += at
			end := strings.IndexByte(text[open:], ']')
			if end < 0 {
				break
			}
			end += open
			if a := literal(text[open : end+1]); a.IsValid() && (open == 0 || text[open-1] != '=') { // Exim: helo=[…]
				return a
			}
			at = end
		}
	}
	for _, c := range comments {
		if a := literal(strings.TrimSpace(c.text)); a.IsValid() {
			return a
		}
	}
	if strings.HasPrefix(name, "[") {
		return literal(name)
	}
	return netip.Addr{}
}

// literal returns an address, which may be in brackets; the zero address if it is none.
func literal(text string) netip.Addr {
	text = strings.TrimSuffix(strings.TrimPrefix(text, "["), "]")
	if len(text) > 5 && strings.EqualFold(text[:5], "ipv6:") {
		text = text[5:]
	}
	a, _ := netip.ParseAddr(text)
	return a
}

// authenticated reports whether the client had signed in, as a person's mail program does (RFC 3848).
func (p hop) authenticated() bool {
	return strings.HasSuffix(p.with, "SMTPA") || strings.HasSuffix(p.with, "SMTPSA")
}

// between reports whether a hop was from one host of ours to another.
func (h Hosts) between(p hop) bool {
	switch {
	case !h.listed(p.by):
		return false
	case strings.Contains(p.with, "LMTP") || p.from == "":
		return true
	case p.address.IsValid():
		return h.Address(p.address)
	}
	return strings.EqualFold(p.from, "localhost") || h.listed(p.from)
}

// border returns the index of the Received field that the border wrote, the first from the top that is not about a hop between
// hosts of ours, and what it says. The sender may have written everything below it. It returns -1 if there is none.
func (h Hosts) border(fields []field) (int, hop) {
	for i, f := range fields {
		if !f.is("Received") {
			continue
		}
		if p := parseHop(f.value); !h.between(p) {
			return i, p
		}
	}
	return -1, hop{}
}

// sender sets the server that delivered a mail to the border, if it did not deliver it to the desk itself. It is known only if a
// host of ours wrote who it is.
func (c *Checker) sender(m *Mail, h header) {
	if m.ClientIP.IsValid() && !c.opts.Internal.Address(m.ClientIP) {
		return
	}
	m.ClientIP, m.Helo = netip.Addr{}, ""
	_, p := c.opts.Internal.border(h.fields)
	if c.opts.Internal.listed(p.by) && !p.authenticated() && !c.opts.Internal.Address(p.address) {
		m.ClientIP, m.Helo = p.address, p.from
	}
}

// word is a word of a structured field, or a comment without its parentheses.
type word struct {
	text    string
	comment bool
}

// words returns the words and comments of a structured field. Quoted text is part of a word.
func words(value string) (all []word) {
	var text strings.Builder
	depth, quoted := 0, false
	end := func(comment bool) {
		if text.Len() > 0 || comment {
			all = append(all, word{text.String(), comment})
		}
		text.Reset()
	}
	for i := 0; i < len(value); i++ {
		b := value[i]
		switch {
		case b == '\\' && (quoted || depth > 0) && i+1 < len(value):
			i++
			text.WriteByte(value[i])
		case quoted:
			if quoted = b != '"'; quoted {
				text.WriteByte(b)
			}
		case b == '(':
			if depth++; depth == 1 {
				end(false)
				continue
			}
			text.WriteByte(' ') // a comment within a comment
		case b == ')' && depth > 0:
			if depth--; depth == 0 {
				end(true)
				continue
			}
			text.WriteByte(' ')
		case depth > 0:
			text.WriteByte(b)
		case b == '"':
			quoted = true
		case b == ' ' || b == '\t' || b == '\r' || b == '\n':
			end(false)
		default:
			text.WriteByte(b)
		}
	}
	if depth == 0 { // one that does not end is none
		end(false)
	}
	return all
}
