package api

import (
	"fmt"
	"net/netip"

	"github.com/gin-gonic/gin"
)

// proxies are the networks of trusted proxies. gin knows them too, but does not report whether one sent a request.
type proxies []netip.Prefix

// trustProxies configures gin to take a request's source from the X-Forwarded-For header of trusted proxies. gin's
// other default, X-Real-IP, is ignored: a proxy that sets the one may pass the client's own value of the other.
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
