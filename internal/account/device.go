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

// Browser is where a sign-in comes from.
type Browser struct {
	Source string // network address
	Device string // what Device made for this browser before; empty or anything else: it is not known
}

const (
	deviceSecret = "account devices"
	deviceID     = 26 // of rand.Text
)

// Device makes what a browser keeps once somebody with an address has signed in there. It opens nothing: it only gives that
// browser allowances of its own for that address, which no stranger can use up.
func (s *Service) Device(ctx context.Context, address string) (string, error) {
	id := rand.Text()
	sum, err := s.deviceSum(ctx, id, address)
	return id + sum, err
}

// known returns the ID of a device that was made for an address; empty: it was not.
func (s *Service) known(ctx context.Context, device, address string) (id string, err error) {
	if len(device) <= deviceID || len(device) > 4*deviceID {
		return "", nil
	}
	id = device[:deviceID]
	sum, err := s.deviceSum(ctx, id, address)
	if err != nil || subtle.ConstantTimeCompare([]byte(device[deviceID:]), []byte(sum)) != 1 {
		return "", err
	}
	return id, nil
}

func (s *Service) deviceSum(ctx context.Context, id, address string) (string, error) {
	secret, err := s.vault.Secret(ctx, deviceSecret)
	if err != nil {
		return "", err
	}
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte(id + "\x00" + strings.ToLower(address)))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil)), nil
}

// spendAs is spend for what is done with an address in a browser: one in which its owner has signed in before has an
// allowance of the same size to itself.
func (s *Service) spendAs(ctx context.Context, b Browser, address string, ofAddress, ofSource Allowance) (refund func() error, err error) {
	id, err := s.known(ctx, b.Device, address)
	if err != nil {
		return nil, err
	}
	if id != "" {
		ofAddress.name += " on a known device"
		return s.spend(ctx, id, b.Source, ofAddress, ofSource)
	}
	return s.spend(ctx, address, b.Source, ofAddress, ofSource)
}
