package dispatch

import (
	"sync"

	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/api/proxy"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/anypb"
)

// maxSharedMetadata limits the number of different metadata that are shared. There are about ten: an encoding, and the types of
// search attributes.
const maxSharedMetadata = 100

// sharedMetadata lets payloads that are received share the metadata that is equal: encoding and type. The SDK keeps the search
// attributes of every cached workflow, and the metadata of each would take several times as much memory as its value. Metadata is
// only read after it was received.
type sharedMetadata struct {
	mu    sync.Mutex
	known map[metadataKey]map[string][]byte
}

// metadataKey is metadata that can be shared: an encoding, and a type if typed.
type metadataKey struct {
	encoding, kind string
	typed          bool
}

// shareMetadata returns an option of the connection that replaces the metadata of received payloads by shared ones.
func shareMetadata() (grpc.DialOption, error) {
	s := &sharedMetadata{known: map[metadataKey]map[string][]byte{}}
	share, err := proxy.NewPayloadVisitorInterceptor(proxy.PayloadVisitorInterceptorOptions{Inbound: &proxy.VisitPayloadsOptions{
		Visitor: func(_ *proxy.VisitPayloadsContext, payloads []*commonpb.Payload) ([]*commonpb.Payload, error) {
			for _, p := range payloads {
				p.Metadata = s.share(p.GetMetadata())
			}
			return payloads, nil
		},
		WellKnownAnyVisitor: func(*proxy.VisitPayloadsContext, *anypb.Any) error { return nil }, // not encoded anew for this
	}})
	return grpc.WithChainUnaryInterceptor(share), err
}

// share returns metadata that equals m.
func (s *sharedMetadata) share(m map[string][]byte) map[string][]byte {
	encoding, kind := m["encoding"], m["type"]
	if len(m) == 0 || len(m) > 2 || encoding == nil || len(m) == 2 && kind == nil {
		return m
	}
	key := metadataKey{string(encoding), string(kind), kind != nil}
	s.mu.Lock()
	defer s.mu.Unlock()
	if known, ok := s.known[key]; ok {
		return known
	}
	if len(s.known) < maxSharedMetadata {
		s.known[key] = m
	}
	return m
}
