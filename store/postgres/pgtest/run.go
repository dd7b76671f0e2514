package pgtest

import (
	"context"
	"fmt"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
)

// Run returns a running server for a program that is not a test. Its user ends it
// with Remove.
func Run(settings ...string) (*Server, error) { return newServer(settings) }

// Remove kills the server and deletes its data.
func (s *Server) Remove() { s.remove() }

// NewDatabase makes an empty database and returns its URL, whose user owns all of
// the server.
func (s *Server) NewDatabase(ctx context.Context) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	c, err := pgx.Connect(ctx, s.url("postgres"))
	if err != nil {
		return "", err
	}
	defer c.Close(context.WithoutCancel(ctx))
	name := fmt.Sprintf("test_%d", s.bases.Add(1))
	_, err = c.Exec(ctx, "CREATE DATABASE "+name)
	return s.url(name), err
}

// Interrupt shuts the server down as an operator would, cutting off who is
// connected.
func (s *Server) Interrupt() error {
	if err := s.cmd.Process.Signal(syscall.SIGINT); err != nil {
		return err
	}
	select {
	case <-s.exited:
		return nil
	case <-time.After(patience):
		return fmt.Errorf("PostgreSQL does not stop: %s", s.Log())
	}
}

// Again starts a server that was stopped or killed, on the same port and data.
func (s *Server) Again() error {
	end := time.Now().Add(patience)
	for {
		err := s.start()
		if err == nil || time.Now().After(end) {
			return err
		}
		time.Sleep(50 * time.Millisecond) // processes of one that was killed may last for a while
	}
}
