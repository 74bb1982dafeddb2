"""What builds and documents the deployment. Nothing here runs in Azure."""
