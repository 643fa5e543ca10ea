package account

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"strings"
)

// Browser identifies where a sign-in comes from.
type Browser struct {
	Source string // network address
	Device string // value returned by Service.Device earlier; anything else means an unknown browser
}

const (
	deviceSecret   = "account devices"
	deviceIDLength = 26 // length of rand.Text
)

// Device returns a value for a cookie that marks a browser in which the owner of an address has signed in. It is not a
// credential: it only gives that browser separate rate limits for the address, which an attacker cannot exhaust.
func (s *Service) Device(ctx context.Context, address string) (string, error) {
	id := rand.Text()
	sum, err := s.deviceSum(ctx, id, address)
	return id + sum, err
}

// knownDevice returns the ID of a device value issued for an address, or "" if the value is not one.
func (s *Service) knownDevice(ctx context.Context, device, address string) (id string, err error) {
	if len(device) <= deviceIDLength || len(device) > 4*deviceIDLength {
		return "", nil
	}
	id = device[:deviceIDLength]
	sum, err := s.deviceSum(ctx, id, address)
	if err != nil || subtle.ConstantTimeCompare([]byte(device[deviceIDLength:]), []byte(sum)) != 1 {
		return "", err
	}
	return id, nil
}

func (s *Service) deviceSum(ctx context.Context, id, address string) (string, error) {
	secret, err := s.store.Secret(ctx, deviceSecret)
	if err != nil {
		return "", err
	}
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte(id + "\x00" + strings.ToLower(address)))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil)), nil
}

// limitFrom is limitBoth for requests from a browser. A known device has a limit of the same size to itself.
func (s *Service) limitFrom(ctx context.Context, b Browser, address string, perAddress, perSource RateLimit) (refund func() error, err error) {
	id, err := s.knownDevice(ctx, b.Device, address)
	if err != nil {
		return nil, err
	}
	if id != "" {
		perAddress.name += " on a known device"
		return s.limitBoth(ctx, id, b.Source, perAddress, perSource)
	}
	return s.limitBoth(ctx, address, b.Source, perAddress, perSource)
}
