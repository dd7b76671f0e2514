// Package actorspb holds the messages between actors, generated from
// actors.proto. Package actors maps them to the domain.
package actorspb

//go:generate go tool -modfile=../../.ci/tools.mod buf generate
//go:generate go tool -modfile=../../.ci/tools.mod gofumpt -w actors.pb.go
