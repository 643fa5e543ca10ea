package account

import (
	"context"
	"strings"
	"time"
)

// Service is what the pages call. Safe for concurrent use.
type Service struct {
	vault vault
	site  string
}

// vault keeps accounts.
type vault interface {
	links
}

type links interface {
	// Secret gives 32 bytes that all replicas share.
	Secret(ctx context.Context, name string) ([]byte, error)
	// Link gives one that still works, or NotFound.
	Link(ctx context.Context, id string) (Link, error)
	// AddSignIn makes a link for whoever has an address, or is NotFound.
	AddSignIn(ctx context.Context, id, address string, lasts time.Duration) error
}

// New makes a service on what keeps accounts. site is the website's address, such as https://support.example.com.
func New(v vault, site string) *Service {
	return &Service{vault: v, site: strings.TrimRight(site, "/")}
}
