// Package clusterpb holds the messages between the nodes of a cluster. Start
// reading at clusterpb.proto.
package clusterpb

//go:generate go tool -modfile=../../.ci/tools.mod buf generate
//go:generate go tool -modfile=../../.ci/tools.mod gofumpt -w clusterpb.pb.go
