package api

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"hash"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/holesalemart/supportdesk/api/request"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
)

// mailReceiver stores mails durably.
type mailReceiver interface {
	Receive(ctx context.Context, e desk.Envelope, content io.Reader) (int64, error)
}

// Relayed configures how mails are received that relays post.
type Relayed struct {
	Receiver mailReceiver
	Own      func(address string) bool // whether the desk receives mail at an address
	Secret   string                    // of the signatures
}

const (
	maxArriving  = 16              // mails that are received at once
	signatureAge = 5 * time.Minute // of a signature at most, and as much ahead, as clocks differ
	mediaMail    = "message/rfc822"
)

type mailInput struct {
	rawInput
	From      string   `query:"from" maxLength:"320" doc:"The envelope's sender; empty or absent for a bounce."`
	To        []string `query:"to,explode" required:"true" minItems:"1" maxItems:"100" doc:"An envelope recipient; repeated for several. At least one must be an address of the desk."`
	Timestamp string   `header:"Supportdesk-Timestamp" doc:"When the request was signed, in seconds since 1970; at most five minutes ago."`
	Digest    string   `header:"Supportdesk-Digest" doc:"The SHA-256 of the body, in hexadecimal."`
	Signature string   `header:"Supportdesk-Signature" doc:"\"v1=\" and the HMAC-SHA256 of the timestamp, the query as it is sent, and the digest, joined by dots, in hexadecimal."`
}

type mailView struct {
	ID int64 `json:"id" doc:"The email's number among those received."`
}

// mailBinder registers receiveMail with a body that is an email.
func mailBinder(s *server, api huma.API, op huma.Operation) {
	op.Metadata = map[string]any{streamed: true}
	op.Description += " The body is the email as it was received. Once the response is 201, the email is stored durably; it is processed afterwards. The same email again is recognized."
	on((*server).receiveMail)(s, api, op)
	api.OpenAPI().Paths[op.Path].Post.RequestBody = &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{
		mediaMail: {Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}},
	}} // added last: huma would read the body by it
}

// receiveMail stores a mail.
func (s *server) receiveMail(_ context.Context, in *mailInput) (mailView, error) {
	signed, err := s.checkSignature(in, time.Now())
	if err != nil {
		return mailView{}, err
	}
	var to []string
	for _, address := range in.To {
		if s.Relayed.Own(address) {
			to = append(to, address)
		}
	}
	if len(to) == 0 {
		return mailView{}, &fault.Error{Kind: fault.Invalid, Message: "the email is not for this desk", Details: []fault.Detail{{Field: "query.to", Message: "has no address of the desk"}}}
	}
	select {
	case s.arriving <- struct{}{}:
		defer func() { <-s.arriving }()
	default:
		return mailView{}, fault.New(fault.Limited, "too many emails are being received; try again in a moment")
	}
	r, end := request.ForTransfer(in.gin.Writer, in.gin.Request)
	defer end()
	signed.body = r.Body
	id, err := s.Relayed.Receiver.Receive(r.Context(), desk.Envelope{Source: desk.SourceHTTP, ReturnPath: in.From, Recipients: to}, signed) //nolint:contextcheck // a transfer outlasts the request's time-out
	if fault.KindOf(err) == fault.TooLarge {
		err = fault.Wrap(err, fault.TooLarge, "the email is too large")
	}
	return mailView{ID: id}, err
}

var errSignature = fault.New(fault.Unauthenticated, "the signature is missing or wrong")

// signed reads a body whose digest is signed. It returns errSignature in place of io.EOF if the body is another one, so that what
// stores the body fails.
type signed struct {
	body io.Reader
	hash hash.Hash
	want []byte
}

// checkSignature checks all but the body, before which a stranger is refused.
func (s *server) checkSignature(in *mailInput, now time.Time) (*signed, error) {
	seconds, err := strconv.ParseInt(in.Timestamp, 10, 64)
	if err != nil {
		return nil, errSignature
	}
	mac := hmac.New(sha256.New, []byte(s.Relayed.Secret))
	_, _ = io.WriteString(mac, in.Timestamp+"."+in.gin.Request.URL.RawQuery+"."+in.Digest) // never fails
	signature, err := hex.DecodeString(strings.TrimPrefix(in.Signature, "v1="))
	if err != nil || !strings.HasPrefix(in.Signature, "v1=") || !hmac.Equal(signature, mac.Sum(nil)) {
		return nil, errSignature
	}
	if age := now.Sub(time.Unix(seconds, 0)).Abs(); age > signatureAge {
		return nil, fault.New(fault.Unauthenticated, "the signature is too old, or the clocks differ")
	}
	want, err := hex.DecodeString(in.Digest)
	if err != nil {
		return nil, errSignature
	}
	return &signed{hash: sha256.New(), want: want}, nil
}

func (s *signed) Read(p []byte) (int, error) {
	n, err := s.body.Read(p)
	s.hash.Write(p[:n])
	if errors.Is(err, io.EOF) && !bytes.Equal(s.hash.Sum(nil), s.want) {
		return n, errSignature
	}
	return n, err
}
