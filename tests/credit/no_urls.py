"""A URLconf of a site that has not mounted the app."""

urlpatterns: list[object] = []
