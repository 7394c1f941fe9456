package node

import (
	"context"
	"errors"
	"net"
	"net/http"
	"os"

	"holdfast"
	"holdfast/gw"
)

// ServeNull serves the gateway without a store (see [gw.NewNull]) until ctx ends. started is called with the endpoint once it
// listens. The credentials file in dir is made if it is not there.
func ServeNull(ctx context.Context, dir, address string, getenv func(string) string, started func(endpoint string)) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	root, err := LoadOrCreateCredentials(dir, getenv)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	gateway := gw.NewNull(gw.Options{
		Service:     holdfast.NewServiceID(holdfast.TypeGateway, 1),
		Credentials: rootOnly(root),
		Settings:    gw.Settings{Region: Config{}.WithDefaults().Region},
	})
	server := gateway.NewServer()
	stop := context.AfterFunc(ctx, func() { _ = server.Close() }) // a baseline has nothing to drain
	defer stop()
	started("http://" + listener.Addr().String())
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// RootUser is the user id of the root account: owner of everything that the root credentials create.
const RootUser = "0000000000000001"

// rootOnly knows one access key: that of the root account.
type rootOnly Credentials

// Identity implements [gw.Credentials].
func (c rootOnly) Identity(_ context.Context, accessKey string) (gw.Identity, bool, error) {
	if accessKey != c.AccessKey {
		return gw.Identity{}, false, nil
	}
	return gw.Identity{User: RootUser, Secret: c.SecretKey, System: true}, true, nil
}
