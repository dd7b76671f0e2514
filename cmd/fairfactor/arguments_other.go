//go:build !unix

package main

func blank(string) {}
