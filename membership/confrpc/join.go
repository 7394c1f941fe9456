package confrpc

import (
	"context"
	"crypto/tls"
	"errors"
	"net"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/peer"

	"holdfast"
	"holdfast/membership/ca"
	"holdfast/membership/config"
	"holdfast/membership/confrpc/confpb"
	"holdfast/membership/password"
	"holdfast/wire"
)

// JoinName is the server name that new hosts ask for in TLS. They have no certificate, and are let in for nothing but to join.
const JoinName = "join.holdfast.invalid"

// JoinRequest is what a machine asks for that wants to become a host of the cluster.
type JoinRequest struct {
	Certificate []byte          // the request for one: see ca.NewRequest
	Gateway     bool            // it has no mount
	Service     bool            // it will be a configuration service, and needs what signs certificates
	Host        holdfast.HostID // 0: the cluster draws one
	Name        string
	Address     string   // of its node
	Storages    []string // names of those it mounts
}

// JoinGrant is what it gets.
type JoinGrant struct {
	Cluster   string
	Host      holdfast.HostID
	Grant     ca.Grant
	Files     map[string][]byte // secrets by name
	Authority []byte            // for a configuration service
	Config    config.Config
}

// Granter admits machines that know the password.
type Granter interface {
	// Grant makes a machine a host of the cluster: it signs its certificate and puts it into the configuration. Unavailable if
	// this node is no configuration service; Conflict if the host is there and lives.
	Grant(ctx context.Context, r JoinRequest) (JoinGrant, error)
}

// JoinServer answers those who want to join. All that it does rests on the password: see package password.
type JoinServer struct {
	confpb.UnimplementedJoinServiceServer

	door    *password.Door
	granter Granter
}

// NewJoinServer returns a server that lets in through door, which may be nil: nobody comes in then.
func NewJoinServer(door *password.Door, granter Granter) *JoinServer {
	return &JoinServer{door: door, granter: granter}
}

// Register puts the server on g, whose TLS lets connections without certificate in under [JoinName].
func (s *JoinServer) Register(g grpc.ServiceRegistrar) { confpb.RegisterJoinServiceServer(g, s) }

// Join answers the RPC: a conversation of package password, then the request.
func (s *JoinServer) Join(stream grpc.BidiStreamingServer[confpb.JoinMessage, confpb.JoinMessage]) error {
	if err := stream.SendHeader(nil); err != nil { // tells the other side what the connection is, see binding
		return err
	}
	grant, err := s.converse(stream)
	if err != nil {
		return stream.Send(&confpb.JoinMessage{Error: errorToWire(err)})
	}
	return stream.Send(&confpb.JoinMessage{Grant: grant})
}

func (s *JoinServer) converse(stream grpc.BidiStreamingServer[confpb.JoinMessage, confpb.JoinMessage]) (*confpb.JoinGrant, error) {
	if s.door == nil {
		return nil, holdfast.E("join", holdfast.Unavailable, errors.New("this node is no configuration service: ask another"))
	}
	source, bound, err := binding(stream.Context())
	if err != nil {
		return nil, err
	}
	hello, err := stream.Recv()
	if err != nil {
		return nil, err
	}
	question, challenge, err := s.door.Ask(source, bound, hello.GetProof())
	if err != nil {
		return nil, err
	}
	if err := stream.Send(&confpb.JoinMessage{Proof: challenge}); err != nil {
		return nil, err
	}
	answer, err := stream.Recv()
	if err != nil {
		return nil, err
	}
	proof, err := question.Check(answer.GetProof())
	if err != nil {
		return nil, err
	}
	if err := stream.Send(&confpb.JoinMessage{Proof: proof}); err != nil {
		return nil, err
	}
	request, err := stream.Recv()
	if err != nil {
		return nil, err
	}
	r := request.GetRequest()
	g, err := s.granter.Grant(stream.Context(), JoinRequest{
		Certificate: r.GetCertificate(), Gateway: r.GetGateway(), Service: r.GetService(), Host: holdfast.HostID(r.GetHost()),
		Name: r.GetName(), Address: r.GetAddress(), Storages: r.GetStorages(),
	})
	if err != nil {
		return nil, err
	}
	encoded, err := g.Config.Encode()
	if err != nil {
		return nil, err
	}
	return &confpb.JoinGrant{
		Cluster: g.Cluster, Host: uint64(g.Host), Certificate: g.Grant.Certificate, Bundle: g.Grant.Bundle,
		Files: g.Files, Authority: g.Authority, Config: encoded,
	}, nil
}

// binding returns the address of the other end without its port, and what a proof on this connection is bound to.
func binding(ctx context.Context) (source string, bound []byte, err error) {
	p, ok := peer.FromContext(ctx)
	if !ok {
		return "", nil, errNoTLS
	}
	info, ok := p.AuthInfo.(credentials.TLSInfo)
	if !ok {
		return "", nil, errNoTLS
	}
	source, _, err = net.SplitHostPort(p.Addr.String())
	if err != nil {
		source = p.Addr.String()
	}
	bound, err = password.Binding(info.State)
	return source, bound, err
}

var errNoTLS = holdfast.E("join", holdfast.Denied, errors.New("the connection is not encrypted"))

// Join asks the node at an address to make this machine a host of its cluster. Kinds: Denied if the password is wrong or the node
// does not know it either; Overload if too many wrong ones were tried; Unavailable if the node does not answer or is no
// configuration service; Conflict if there is such a host.
func Join(ctx context.Context, address string, pass []byte, r JoinRequest) (JoinGrant, error) {
	const op = "confrpc.join"
	secure := ca.Newcomer()
	secure.ServerName = JoinName
	conn, err := dialJoin(address, secure)
	if err != nil {
		return JoinGrant{}, err
	}
	defer conn.Close()
	stream, err := confpb.NewJoinServiceClient(conn).Join(ctx)
	if err != nil {
		return JoinGrant{}, lost(ctx, op, err, false)
	}
	if _, err := stream.Header(); err != nil {
		return JoinGrant{}, lost(ctx, op, err, false)
	}
	_, bound, err := binding(stream.Context())
	if err != nil {
		return JoinGrant{}, err
	}
	say := func(m *confpb.JoinMessage) (*confpb.JoinMessage, error) {
		if err := stream.Send(m); err != nil {
			return nil, lost(ctx, op, err, false)
		}
		reply, err := stream.Recv()
		if err != nil {
			return nil, lost(ctx, op, err, m.GetRequest() != nil)
		}
		return reply, errorFromWire(reply.GetError())
	}
	if err := prove(pass, bound, say); err != nil {
		return JoinGrant{}, err
	}
	storages := r.Storages
	reply, err := say(&confpb.JoinMessage{Request: &confpb.JoinRequest{
		Certificate: r.Certificate, Gateway: r.Gateway, Service: r.Service, Host: uint64(r.Host), Name: r.Name, Address: r.Address, Storages: storages,
	}})
	if err != nil {
		return JoinGrant{}, err
	}
	return grantFrom(op, reply.GetGrant())
}

func dialJoin(address string, secure *tls.Config) (*grpc.ClientConn, error) {
	return grpc.NewClient("passthrough:///"+address, append(wire.DialOptions(), grpc.WithTransportCredentials(credentials.NewTLS(secure)))...)
}

// prove has both ends prove that they know the password.
func prove(pass, bound []byte, say func(*confpb.JoinMessage) (*confpb.JoinMessage, error)) error {
	attempt, hello := password.Begin(pass, bound)
	challenge, err := say(&confpb.JoinMessage{Proof: hello})
	if err != nil {
		return err
	}
	answer, err := attempt.Answer(challenge.GetProof())
	if err != nil {
		return err
	}
	proof, err := say(&confpb.JoinMessage{Proof: answer})
	if err != nil {
		return err
	}
	return attempt.Check(proof.GetProof())
}

func grantFrom(op string, g *confpb.JoinGrant) (JoinGrant, error) {
	c, err := config.Parse(g.GetConfig())
	if err != nil {
		return JoinGrant{}, holdfast.E(op, holdfast.Other, err)
	}
	return JoinGrant{
		Cluster: g.GetCluster(), Host: holdfast.HostID(g.GetHost()),
		Grant: ca.Grant{Certificate: g.GetCertificate(), Bundle: g.GetBundle()},
		Files: g.GetFiles(), Authority: g.GetAuthority(), Config: c,
	}, nil
}
