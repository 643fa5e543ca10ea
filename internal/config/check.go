package config

import (
	"math"
	"net"
	"net/url"
	"slices"
	"strings"
	"time"
)

// reject records what is wrong with a variable.
type reject func(name, format string, args ...any)

func checkURL(reject reject, name, address string) {
	if u, err := url.Parse(address); err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		reject(name, "is not an http or https URL: %q", address)
	}
}

// checkHostPort accepts the ports that package net does, numbers and names of services, except the empty one, which would be any.
func checkHostPort(reject reject, name, address string) {
	_, port, err := net.SplitHostPort(address)
	if err == nil {
		_, err = net.LookupPort("tcp", port)
	}
	if err != nil || port == "" {
		reject(name, "is not host:port: %q", address)
	}
}

func oneOf(reject reject, name, value string, allowed ...string) {
	if !slices.Contains(allowed, value) {
		reject(name, "is not %s: %q", strings.Join(allowed, " or "), value)
	}
}

func positive[N int | int32 | float64 | time.Duration](reject reject, name string, value N) {
	switch rate := float64(value); {
	case math.IsInf(rate, 0) || math.IsNaN(rate):
		reject(name, "is not a number: %v", value)
	case value <= 0:
		reject(name, "must be positive: %v", value)
	}
}
