package confrpc

import (
	"context"
	"reflect"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/peer"

	"holdfast"
	"holdfast/membership/ca"
	"holdfast/membership/config"
	"holdfast/membership/confrpc/confpb"
	"holdfast/membership/protocol"
	"holdfast/wire"
)

var _ Service = (*Client)(nil)

// Client is the configuration API of a node in another process. It holds no connection of its own; many clients may share one.
// Safe for concurrent use. The wire adds its own errors to those of the contract:
//
//	the context ended                              Aborted
//	no connection, or it broke before an answer    Unavailable
//	the same, once a Publish or Release was sent   Unknown: it may have been carried out, also if the context ended
//	a method the other side does not have yet      Unsupported
//	no right to connect                            Denied
//	an answer that makes no sense                  Other
type Client struct {
	remote confpb.ConfigServiceClient
}

// NewClient returns the API as it is reached over conn, a connection made with wire.DialOptions, which stays the caller's.
func NewClient(conn grpc.ClientConnInterface) *Client {
	return &Client{remote: confpb.NewConfigServiceClient(conn)}
}

// lost is the error of a call without an answer. The API is a node's and not a service's, hence no id.
func lost(ctx context.Context, op string, err error, mayHaveRun bool) error {
	e := wire.Lost(ctx, op, 0, err, mayHaveRun)
	if he, ok := e.(*holdfast.Error); ok {
		he.ID = ""
	}
	return e
}

// Hello implements [Service].
func (c *Client) Hello(ctx context.Context, from Greeting) (Greeting, error) {
	r, err := c.remote.Hello(ctx, &confpb.HelloRequest{
		Cluster: from.Cluster, Host: uint64(from.Host), MinVersion: uint32(from.Speaks.Min), MaxVersion: uint32(from.Speaks.Max),
	})
	if err != nil {
		return Greeting{}, lost(ctx, "confrpc.hello", err, false)
	}
	g := Greeting{r.GetCluster(), holdfast.HostID(r.GetHost()), rangeFromWire(r.GetMinVersion(), r.GetMaxVersion())}
	return g, errorFromWire(r.GetError())
}

// Newest implements [Service].
func (c *Client) Newest(ctx context.Context, after uint64, wait time.Duration) (config.Config, error) {
	const op = "confrpc.newest"
	r, err := c.remote.Newest(ctx, &confpb.NewestRequest{After: after, WaitNs: int64(wait)})
	if err != nil {
		return config.Config{}, lost(ctx, op, err, false)
	}
	return configFrom(op, r)
}

// Publish implements [Service].
func (c *Client) Publish(ctx context.Context, base uint64, draft config.Config) (config.Config, error) {
	const op = "confrpc.publish"
	b, err := draft.Encode()
	if err != nil {
		return config.Config{}, holdfast.E(op, holdfast.Invalid, err)
	}
	var asked peer.Peer
	r, err := c.remote.Publish(ctx, &confpb.PublishRequest{Base: base, Config: b}, grpc.Peer(&asked))
	if err != nil {
		return config.Config{}, lost(ctx, op, err, wire.Reached(&asked))
	}
	return configFrom(op, r)
}

func configFrom(op string, r *confpb.ConfigReply) (config.Config, error) {
	if err := errorFromWire(r.GetError()); err != nil {
		return config.Config{}, err
	}
	c, err := config.Parse(r.GetConfig())
	if err != nil {
		return config.Config{}, holdfast.E(op, holdfast.Other, err)
	}
	return c, nil
}

// Owners implements [Service].
func (c *Client) Owners(ctx context.Context, ids []holdfast.ServiceID) ([]Owner, error) {
	r, err := c.remote.Owners(ctx, &confpb.OwnersRequest{Services: idsToWire(ids)})
	if err != nil {
		return nil, lost(ctx, "confrpc.owners", err, false)
	}
	return ownersFromWire(r.GetOwners()), errorFromWire(r.GetError())
}

// Status implements [Service].
func (c *Client) Status(ctx context.Context) (Status, error) {
	r, err := c.remote.Status(ctx, &confpb.StatusRequest{})
	if err != nil {
		return Status{}, lost(ctx, "confrpc.status", err, false)
	}
	return statusFromWire(r), errorFromWire(r.GetError())
}

// Release implements [Service].
func (c *Client) Release(ctx context.Context, id holdfast.ServiceID, epoch holdfast.Epoch, to holdfast.HostID) error {
	var asked peer.Peer
	r, err := c.remote.Release(ctx, &confpb.ReleaseRequest{Service: uint64(id), Epoch: uint64(epoch), To: uint64(to)}, grpc.Peer(&asked))
	if err != nil {
		return lost(ctx, "confrpc.release", err, wire.Reached(&asked))
	}
	return errorFromWire(r.GetError())
}

// Secrets implements [Service].
func (c *Client) Secrets(ctx context.Context) (map[string][]byte, error) {
	r, err := c.remote.Secrets(ctx, &confpb.SecretsRequest{})
	if err != nil {
		return nil, lost(ctx, "confrpc.secrets", err, false)
	}
	return r.GetFiles(), errorFromWire(r.GetError())
}

// Renew implements [Service].
func (c *Client) Renew(ctx context.Context, request []byte) (ca.Grant, error) {
	r, err := c.remote.Renew(ctx, &confpb.RenewRequest{Request: request})
	if err != nil {
		return ca.Grant{}, lost(ctx, "confrpc.renew", err, false)
	}
	return ca.Grant{Certificate: r.GetCertificate(), Bundle: r.GetBundle()}, errorFromWire(r.GetError())
}

// Agree says hello and returns the version of the protocol that both ends speak.
func Agree(ctx context.Context, s Service, from Greeting) (protocol.Version, error) {
	other, err := s.Hello(ctx, from)
	if err != nil {
		return 0, err
	}
	if other.Cluster != from.Cluster {
		return 0, holdfast.E("confrpc.hello", holdfast.Denied, errForeign)
	}
	return from.Speaks.Choose(other.Speaks)
}

// maxChanges bounds how often a change is made anew because another came in between.
const maxChanges = 20

// Change publishes a change of the newest configuration and returns what was published. edit may be called several times. A configuration
// that edit returns as it was is not published.
func Change(ctx context.Context, s Service, edit func(config.Config) (config.Config, error)) (config.Config, error) {
	for try := 1; ; try++ {
		now, err := s.Newest(ctx, 0, 0)
		if err != nil {
			return config.Config{}, err
		}
		changed, err := edit(now.Clone())
		if err != nil || reflect.DeepEqual(now, changed) {
			return now, err
		}
		published, err := s.Publish(ctx, now.Version, changed)
		if !holdfast.Is(err, holdfast.Conflict) || try == maxChanges {
			return published, err
		}
	}
}
