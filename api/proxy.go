package api

import (
	"fmt"
	"net/netip"

	"github.com/gin-gonic/gin"
)

// proxies are the addresses and networks whose headers are believed. gin knows them, too, and does not say whether one of
// them sent a request.
type proxies []netip.Prefix

// trustProxies has gin take a request's source from trusted proxies' X-Forwarded-For. Its other default, X-Real-IP, is
// not taken: a proxy that sets the one passes on what its client says in the other.
func trustProxies(engine *gin.Engine, trusted []string) (proxies, error) {
	engine.RemoteIPHeaders = []string{"X-Forwarded-For"}
	if err := engine.SetTrustedProxies(trusted); err != nil {
		return nil, fmt.Errorf("trusted proxies: %w", err)
	}
	var all proxies
	for _, text := range trusted { // gin has checked them
		if ip, err := netip.ParseAddr(text); err == nil {
			all = append(all, netip.PrefixFrom(ip.Unmap(), ip.Unmap().BitLen()))
		} else if network, err := netip.ParsePrefix(text); err == nil {
			all = append(all, network.Masked())
		}
	}
	return all, nil
}

// sent reports whether a trusted proxy sent the request.
func (p proxies) sent(c *gin.Context) bool {
	from, err := netip.ParseAddr(c.RemoteIP())
	if err != nil {
		return false
	}
	for _, network := range p {
		if network.Contains(from.Unmap().WithZone("")) {
			return true
		}
	}
	return false
}
