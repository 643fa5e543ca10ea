package api

import (
	"net/http"
	"net/url"

	"github.com/gin-gonic/gin"
)

// front answers at the addresses that mails point to: tracking leads to the API's own answer, and the root says where
// things are.
func (s *server) front(engine *gin.Engine) {
	engine.GET("/track/:number", func(c *gin.Context) {
		c.Redirect(http.StatusFound, prefix+"/track/"+url.PathEscape(c.Param("number")))
	})
	engine.GET("/", func(c *gin.Context) {
		c.String(http.StatusOK, "Supportdesk: the API is at %s and described at /api/openapi.json;\n"+
			"a ticket's status and promised dates are at /track/NUMBER.\n", prefix)
	})
}
