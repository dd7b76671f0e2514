package http

import _ "embed"

// page is the web page of a node, as GET / gives it: one HTML document that
// loads nothing from elsewhere and gets what it shows from the HTTP API.
//
//go:embed page.html
var page []byte

// icon is the picture that browsers show next to the page's title.
//
//go:embed icon.svg
var icon []byte

// openAPI is the OpenAPI 3.1 document of the HTTP API, as GET /openapi.json
// gives it. A test holds it against the routes.
//
//go:embed openapi.json
var openAPI []byte

// getOpenAPI gives the description of the API.
func (s *Server) getOpenAPI(r *request) error {
	r.ctx.Response.Header.SetContentType(mediaJSON)
	r.ctx.Response.Header.Set("Cache-Control", "no-cache")
	r.ctx.SetBody(openAPI)
	return nil
}

// pagePolicy lets the page run its own script and style and talk to its node,
// and nothing else. They are part of the page, which holds no text of others.
const pagePolicy = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src 'self' data:; " +
	"connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// getPage gives the web page.
func (s *Server) getPage(r *request) error {
	h := &r.ctx.Response.Header
	h.SetContentType("text/html; charset=utf-8")
	h.Set("Cache-Control", "no-cache")
	h.Set("Content-Security-Policy", pagePolicy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "no-referrer")
	r.ctx.SetBody(page)
	return nil
}

// iconSeconds is how long a browser may keep the icon.
const iconSeconds = "86400"

// getIcon gives the icon under the path that browsers ask for unasked.
func (s *Server) getIcon(r *request) error {
	r.ctx.Response.Header.SetContentType("image/svg+xml")
	r.ctx.Response.Header.Set("Cache-Control", "public, max-age="+iconSeconds)
	r.ctx.SetBody(icon)
	return nil
}
