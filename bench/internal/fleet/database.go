package fleet

import (
	"context"

	"fairfactor/store/postgres/pgtest"
)

// NewDatabase starts a server with an empty database.
func NewDatabase(ctx context.Context) (*pgtest.Server, string, error) {
	server, err := pgtest.Run()
	if err != nil {
		return nil, "", err
	}
	url, err := server.NewDatabase(ctx)
	if err != nil {
		server.Remove()
		return nil, "", err
	}
	return server, url, nil
}
