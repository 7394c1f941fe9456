package found

import (
	"context"
	"errors"
	"fmt"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"

	"holdfast"
	"holdfast/membership/config"
	"holdfast/membership/confrpc"
	"holdfast/node/confdir"
	"holdfast/node/discovery"
	"holdfast/volume"
	"holdfast/wire"
)

// Attached is the way to the services of a volume of a cluster that runs, for tools. Close it.
type Attached struct {
	conn   *Connection
	disc   *discovery.Discovery
	volume holdfast.VolumeID
}

// Attach reaches the services of a volume with the certificate of the host whose configuration directory this is. name is the volume's
// id or name; empty means the only one there is. Errors are those of [Connect]; NotFound, with those there are, for the volume.
func Attach(ctx context.Context, dir confdir.Dir, name string) (*Attached, error) {
	conn, err := Connect(ctx, dir)
	if err != nil {
		return nil, err
	}
	c, err := conn.Newest(ctx, 0, 0)
	if err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	id, err := findVolume(c, name)
	if err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	a := &Attached{conn: conn, volume: id}
	a.disc = discovery.New(discovery.Options{Source: asking{conn}, Dial: func(address string) (*grpc.ClientConn, error) {
		return grpc.NewClient("passthrough:///"+address,
			append(wire.DialOptions(), grpc.WithTransportCredentials(credentials.NewTLS(conn.keeper.Client(0))))...)
	}})
	a.disc.SetConfig(c)
	if err := a.disc.Look(ctx, true); err != nil {
		return nil, errors.Join(err, a.Close(ctx))
	}
	return a, nil
}

func findVolume(c config.Config, name string) (holdfast.VolumeID, error) {
	var known []string
	for _, v := range c.Volumes {
		if v.Name == name || v.ID.Value.String() == name || name == "" && len(c.Volumes) == 1 {
			return v.ID.Value, nil
		}
		known = append(known, fmt.Sprintf("%s (%s)", v.ID.Value, v.Name))
	}
	return 0, holdfast.E("find volume", holdfast.NotFound, fmt.Errorf("%q: the cluster has %v", name, known))
}

// asking is a source of owners that asks a node.
type asking struct{ s confrpc.Service }

// Owners implements discovery.Source.
func (a asking) Owners(ctx context.Context, _ string, ids []holdfast.ServiceID) []confrpc.Owner {
	owners, err := a.s.Owners(ctx, ids)
	if err != nil {
		return nil // the next look asks again
	}
	return owners
}

// Services is the way to the services of the volume.
func (a *Attached) Services() volume.Services { return a.disc.Volume(a.volume) }

// Close ends the connections.
func (a *Attached) Close(context.Context) error { return errors.Join(a.disc.Close(), a.conn.Close()) }
