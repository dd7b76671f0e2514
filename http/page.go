package http

import _ "embed"

// page is the web page of a node, as GET / gives it: one HTML document that
// loads nothing from elsewhere and gets what it shows from the HTTP API.
//
//go:embed page.html
var page []byte
